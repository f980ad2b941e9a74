// Results that can be cancelled: a crawler with two hands, two mirrors and a timeout, on a clock that is moved by hand.
import { co, Deferred, DeferredQueue, DeferredSemaphore, gatherResults, race, TestClock, wait } from 'tutti';

const clock = new TestClock();
const say = (...words: unknown[]): void => console.log(`${String(clock.now()).padStart(3)} ms`, ...words);

/** Answers after a while, and can be told that nobody wants it any more. */
function ask(server: string, page: string, ms: number): Deferred<string> {
  const call = clock.callLater(ms, () => answer.callback(`${page} from ${server}`));
  const answer = new Deferred<string>(() => {
    call.cancel();
    say(`${server} need not look for ${page} any more`);
  });
  return answer;
}

const hands = new DeferredSemaphore(2);
const found = new DeferredQueue<string>();
const fetch = (page: string, near: number, far: number): Deferred<void> =>
  hands.run(() =>
    co(function* () {
      say(`looks for ${page}`);
      const mirrors = race([ask('near', page, near), ask('far', page, far)]).addTimeout(50, clock);
      try {
        const [, text] = yield* wait(mirrors);
        found.put(text);
      } catch (error) {
        say(`${page}: ${(error as Error).name}`);
      }
    }),
  );

const all = gatherResults([fetch('index', 30, 20), fetch('about', 10, 40), fetch('news', 90, 80)]);
all.addCallback(() => found.close());
clock.pump([10, 10, 10, 10, 10, 10]);
for await (const text of found) console.log(text);

// Prints:
//     0 ms looks for index
//     0 ms looks for about
//    10 ms far need not look for about any more
//    10 ms looks for news
//    20 ms near need not look for index any more
//    60 ms near need not look for news any more
//    60 ms far need not look for news any more
//    60 ms news: TimeoutError
//   about from near
//   index from far
