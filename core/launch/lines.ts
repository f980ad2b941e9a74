/** A stream's text, line by line: `push` gives the lines that a chunk completes. */
import { StringDecoder } from 'node:string_decoder';

export class Lines {
  #decoder = new StringDecoder('utf8');
  #rest = '';

  push(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop()!;
    return lines;
  }
}
