import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { processLauncher } from '../../main.ts';
import { launcherCompliance } from '../compliance/launcher.ts';
import { blackBox } from './support/black-box.ts';
import { inFolder, using } from './support/shared.ts';

describe('process', () => launcherCompliance({ launcher: processLauncher }, { test }));

test('an engine whose clock goes wrong is in the log', () =>
  inFolder(async (folder) => {
    const late = path.join(folder, 'late.cjs');
    writeFileSync(late, 'const { now } = Date; Date.now = () => now() - 3600e3;');
    const { log, entries } = blackBox();
    await using({ engines: 1, launcher: processLauncher({ execArgv: ['--require', late] }), log }, async () => {
      const said = entries.filter(({ level }) => level === 'warn').map(({ message }) => message);
      expect(said).toEqual([expect.stringMatching(/Engine 0: its clock is 360\d s behind that of the controller/)]);
    });
  }));
