import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { awaitReopening, REOPENS } from '../../core/engine/reopening.ts';

describe('a channel whose other side opens it again', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is given up when that does not happen in time', () => {
    const fail = vi.fn();
    awaitReopening()({ connected: false }, fail);
    vi.advanceTimersByTime(REOPENS - 1);
    expect(fail).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fail).toHaveBeenCalledOnce();
  });

  test('has all of its time at every cut', () => {
    const fail = vi.fn();
    const session = { connected: false };
    const cut = awaitReopening();
    cut(session, fail);
    session.connected = true;
    vi.advanceTimersByTime(REOPENS - 10);
    session.connected = false;
    cut(session, fail);
    vi.advanceTimersByTime(20); // past the end of the first cut's
    expect(fail).not.toHaveBeenCalled();
    session.connected = true;
    vi.advanceTimersByTime(REOPENS);
    expect(fail).not.toHaveBeenCalled();
  });
});
