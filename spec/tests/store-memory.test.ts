import { describe, test } from 'vitest';
import { memoryStores } from '../../core/store/memory-store.ts';
import { storeCompliance } from '../compliance/store.ts';

describe('memory', () =>
  storeCompliance({ place: () => '', provider: () => memoryStores(), persists: false }, { test }));
