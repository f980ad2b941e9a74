import { ProtocolError } from '../errors.ts';
import { textOf } from './bytes.ts';
import { PartialMessage, u32, wholeMessage } from './frame-message.ts';
import { MAX_MESSAGE_BYTES, MAX_PARTS, WINDOW_BYTES } from './frame-outbox.ts';
import { CHUNK_BYTES, CLOSE, CREDIT, FIRST, HEADER_BYTES, LANE_MASK, LAST, MAX_REASON_BYTES } from './framing.ts';
import type { Lane } from './transport.ts';

/** What a peer may send in one message before it has proved who it is. */
const STRANGER_BYTES = 64 * 1024;
/** And on lane 0, which knows no credit, ever. */
const CONTROL_BYTES = 4 * 1024 * 1024;
const MAX_FRAME_BYTES = CHUNK_BYTES + 4 + 4 * MAX_PARTS;

/** Who is told what the frames say; a `FrameConnection` is one. */
export interface FrameEvents {
  readonly room: number;
  message(parts: Uint8Array[], lane: Lane): void;
  arrived(weight: number): void;
  credited(weight: number): boolean;
  goodbye(reason: string): void;
}

/**
 * Puts frames together into messages. Call `begin`, then `payload` with all of it, in pieces of any size. Throws
 * ProtocolError on what makes no sense, before it allocates anything on the strength of it.
 */
export class FrameAssembler {
  readonly #events: FrameEvents;
  readonly #lanes: [PartialMessage | undefined, PartialMessage | undefined] = [undefined, undefined];
  #limit = STRANGER_BYTES;
  #flags = 0;
  #length = 0;
  /** Payload bytes of the current frame that have yet to come. */
  #left = 0;
  #control = new Uint8Array(0);

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  get left(): number {
    return this.#left;
  }

  allowLarge(): void {
    this.#limit = MAX_MESSAGE_BYTES;
  }

  begin(flags: number, length: number): void {
    this.#flags = flags;
    this.#length = length;
    this.#left = length;
    if (flags & (CREDIT | CLOSE)) this.#beginControl(flags, length);
    else this.#beginData(flags, length);
    if (length === 0) this.#end();
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    const flags = this.#flags;
    if (flags & (CREDIT | CLOSE)) {
      this.#control.set(bytes.subarray(start, end), this.#length - this.#left);
    } else if (flags & FIRST && flags & LAST && end - start === this.#length) {
      // Nearly every small message comes in one piece.
      this.#left = 0;
      const lane = (flags & LANE_MASK) as Lane;
      this.#events.message(wholeMessage(bytes, start, end, this.#limitOf(lane)), lane);
      if (lane === 1) this.#events.arrived(this.#length);
      return;
    } else {
      const lane = (flags & LANE_MASK) as Lane;
      const message = (this.#lanes[lane] ??= new PartialMessage(this.#limitOf(lane)));
      message.take(bytes, start, end);
    }
    this.#left -= end - start;
    if (this.#left === 0) this.#end();
  }

  /**
   * Memory into which the next bytes may be read, so that `payload` need not copy them: the part being filled, for the
   * rest of this frame and the next one's header (which the next frame's payload overwrites). Undefined if few are awaited.
   */
  memory(): Uint8Array | undefined {
    if (this.#left === 0 || this.#flags & (CREDIT | CLOSE)) return undefined;
    return this.#lanes[(this.#flags & LANE_MASK) as Lane]?.memory(this.#left, HEADER_BYTES);
  }

  #limitOf(lane: Lane): number {
    return lane === 0 ? Math.min(CONTROL_BYTES, this.#limit) : this.#limit;
  }

  #beginControl(flags: number, length: number): void {
    if (flags === CREDIT ? length !== 4 : flags !== CLOSE || length > MAX_REASON_BYTES) {
      throw new ProtocolError(`a control frame of ${length} bytes with flags 0x${flags.toString(16)}`);
    }
    this.#control = new Uint8Array(length);
  }

  #beginData(flags: number, length: number): void {
    const lane = flags & LANE_MASK;
    if (lane > 1) throw new ProtocolError(`a frame on lane ${lane}; there are lanes 0 and 1`);
    if (length > MAX_FRAME_BYTES)
      throw new ProtocolError(`a frame of ${length} bytes; the limit is ${MAX_FRAME_BYTES}`);
    if (lane === 1 && length > this.#events.room) {
      throw new ProtocolError(`more than ${WINDOW_BYTES} bytes were sent without credit`);
    }
    const open = this.#lanes[lane as Lane] !== undefined;
    if (flags & FIRST) {
      if (open) throw new ProtocolError('a message began before the one before it had ended');
      if (length < 4) throw new ProtocolError('a first frame without a part table');
    } else {
      if (!open) throw new ProtocolError('a frame of a message that never began');
      if (length === 0) throw new ProtocolError('an empty frame inside a message');
    }
  }

  #end(): void {
    const flags = this.#flags;
    if (flags === CREDIT) {
      if (!this.#events.credited(u32(this.#control, 0))) throw new ProtocolError('credit for bytes never sent');
      return;
    }
    if (flags === CLOSE) {
      this.#events.goodbye(textOf(this.#control));
      return;
    }
    const lane = (flags & LANE_MASK) as Lane;
    const message = this.#lanes[lane]!;
    if (message.complete !== ((flags & LAST) !== 0)) {
      throw new ProtocolError('a message whose last frame is not where its part table puts it');
    }
    if (message.complete) {
      this.#lanes[lane] = undefined;
      this.#events.message(message.parts, lane);
    }
    if (lane === 1) this.#events.arrived(this.#length);
  }
}
