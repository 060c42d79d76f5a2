"""The DS18B20 on a one-wire pin. Data sheet: Maxim DS18B20. Stands on faults.

It shows 85 degrees after power-up: who reads that has read before a conversion, or the sensor lost
its supply meanwhile. Neither that nor a wrong CRC is a reading.
"""

from binascii import hexlify
from time import sleep_ms

from ds18x20 import DS18X20
from onewire import OneWire

from .faults import Fault

TRIES = 3
CONVERSION_MS = 750  # at 12 bits
POWER_ON_C = 85


def read(pin):
    """(sixteenths of a degree Celsius, identity) of the first sensor that is found.

    ``Fault`` if there is no reading.
    """
    bus = DS18X20(OneWire(pin))
    for _ in range(TRIES):
        try:
            roms = bus.scan()
            if roms:
                bus.convert_temp()
                sleep_ms(CONVERSION_MS)
                celsius = bus.read_temp(roms[0])
                if -55 <= celsius <= 125 and celsius != POWER_ON_C:
                    return round(celsius * 16), hexlify(roms[0]).decode()
                trouble = "%s degrees is no reading" % celsius
            else:
                trouble = "no DS18B20 answers: check pin, wires and pull-up"
        except Exception as error:  # the driver raises a plain one for a wrong CRC
            trouble = str(error) or "no answer"
    raise Fault(trouble)
