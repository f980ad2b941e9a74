/** The paradigms that a controller can be asked for: built-in ones, its start list, and those of the program that embeds it. */
import { ParadigmError, ParadigmNotInstalledError } from '../errors.ts';
import { bundleHalf } from '../paradigm/bundle.ts';
import type { AnyDefinition } from '../paradigm/paradigm.ts';
import { loadPlugin } from '../paradigm/plugins.ts';
import { textPayload } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

/** Known to every controller of this process; see `registerParadigm`. */
const builtIn = new Map<string, AnyDefinition>();

/** Makes a paradigm known to all controllers that are started in this process. */
export function registerParadigm({ definition }: { readonly definition: AnyDefinition }): void {
  builtIn.set(definition.name, definition);
}

export class Offers {
  #own = new Map<string, AnyDefinition>();
  #broken: { plugin: string; error: unknown }[] = [];

  get(name: string): AnyDefinition | undefined {
    return this.#own.get(name) ?? builtIn.get(name);
  }

  all(): AnyDefinition[] {
    return [...new Map([...builtIn, ...this.#own]).values()];
  }

  /** Plug-ins of the start list that could not be loaded, and why. */
  get failed(): { plugin: string; reason: string }[] {
    return this.#broken.map(({ plugin, error }) => ({
      plugin,
      reason: error instanceof Error ? error.message : String(error),
    }));
  }

  /** Throws ParadigmError when another one of that name is there. The same one may come again. */
  add(definition: AnyDefinition): void {
    const there = this.get(definition.name);
    if (there && there !== definition && (there.module !== definition.module || there.version !== definition.version))
      throw new ParadigmError(
        `Two paradigms are called '${definition.name}': ${origin(there)} and ${origin(definition)}; one of them needs another name`,
      );
    if (!there) this.#own.set(definition.name, definition);
  }

  /** What a plug-in of the start list exports. One that fails concerns nobody else: whoever asks for it is told why. */
  async load(plugin: string, directory: string): Promise<void> {
    try {
      for (const definition of await loadPlugin(plugin, directory)) this.add(definition);
    } catch (error) {
      this.#broken.push({ plugin, error });
      throw error;
    }
  }

  missing(name: string): ParadigmNotInstalledError {
    const broken = this.failed.map(({ plugin, reason }) => `${plugin} (${reason})`);
    const why = broken.length ? ` These plug-ins of its start list could not be loaded: ${broken.join('; ')}.` : '';
    return new ParadigmNotInstalledError(
      `The controller was not started with paradigm '${name}'.${why} Start it with the plug-in: tutti start --plugin MODULE, or cluster({ plugins: ['MODULE'] })`,
      { cause: this.#broken[0]?.error },
    );
  }

  /** The engine half, for engines whose client could not send one. */
  bundle(definition: AnyDefinition): Payload | undefined {
    const half = bundleHalf(definition);
    return half && textPayload(half.text);
  }
}

function origin({ module, version }: AnyDefinition): string {
  return `version ${version}${module ? ` of ${module}` : ''}`;
}
