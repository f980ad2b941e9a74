import { describe, test } from 'vitest';
import { processLauncher } from '../../main.ts';
import { launcherCompliance } from '../compliance/launcher.ts';

describe('process', () => launcherCompliance({ launcher: processLauncher }, { test }));
