// The serial line over USB: what a board prints, and what is typed.
import { USBCDC } from 'rp2040js';

export class Serial {
  constructor(mcu) {
    this.text = '';
    this.typed = '';
    this.usb = mcu.usbCtrl;
    this.host = new USBCDC(this.usb);
    this.waiting = null; // an OUT transfer that the firmware has armed: [endpoint, size]
    this.connected = false;
    this.host.onDeviceConnected = () => (this.connected = true);
    this.host.onSerialData = (bytes) => (this.text += Buffer.from(bytes).toString('latin1'));
    // rp2040js completes each armed transfer at once, with no bytes if there are none. A host
    // answers nothing then (NAK). The firmware arms the next one at each completion, so it would do
    // little else: measured, 1.28 runs three times slower.
    this.usb.onEndpointRead = (endpoint, size) => {
      if (endpoint === this.host.outEndpoint) this.waiting = [endpoint, size];
    };
  }

  type(text) {
    this.typed += text;
  }

  // Hand over what was typed. Called again and again.
  pump() {
    if (!this.waiting || !this.typed.length || !this.connected) return;
    const [endpoint, size] = this.waiting;
    this.waiting = null;
    this.usb.endpointReadDone(endpoint, Buffer.from(this.typed.slice(0, size), 'latin1'));
    this.typed = this.typed.slice(size);
  }
}
