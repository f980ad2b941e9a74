import { describe, test } from 'vitest';
import { threadLauncher } from '../../main.ts';
import { launcherCompliance } from '../compliance/launcher.ts';

describe('thread', () => launcherCompliance({ launcher: threadLauncher, processes: false }, { test }));
