/** Runs in the browser's audio thread: hands on what the microphone hears, 2,048 samples at a time. */
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Microphone extends AudioWorkletProcessor {
  private buffer = new Float32Array(2048);
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const samples = inputs[0]?.[0];
    if (samples) {
      for (const sample of samples) {
        this.buffer[this.filled] = sample;
        this.filled += 1;
        if (this.filled === this.buffer.length) {
          this.port.postMessage(this.buffer.slice());
          this.filled = 0;
        }
      }
    }
    return true;
  }
}

registerProcessor('microphone', Microphone);
