"""The board's half of avocado: one temperature, published by whichever board is the primary.

main.py needs settings, schedule and kept at every wake. A primary loads duty, and with it the
sensor, Wi-Fi, TLS and MQTT; faults is loaded when something has gone wrong.
"""
