import { malformed } from './malformed.ts';
import { Slot } from './slot.ts';

/** A place in decoded data that holds a Slot. */
export interface Spot {
  holder: any;
  key: number | string;
  target: number;
  /** The element of the outermost array that it lies in. */
  element: number;
}

/** Finds the Slots in decoded data, which is a tree of arrays and plain objects, without recursion. */
export function findSpots(data: unknown[], tableLength: number): Spot[] {
  const spots: Spot[] = [];
  const open: { node: any; element: number }[] = [];
  const look = (item: unknown, holder: any, key: number | string, element: number) => {
    if (typeof item !== 'object' || item === null) return;
    if (item instanceof Slot) {
      if (item.index >= tableLength) throw malformed(`a reference to entry ${item.index} of ${tableLength}`);
      spots.push({ holder, key, target: item.index, element });
    } else if (Array.isArray(item) || Object.getPrototypeOf(item) === Object.prototype) {
      open.push({ node: item, element });
    }
  };
  for (let i = 0; i < data.length; i++) look(data[i], data, i, i);
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, element } = next;
    if (Array.isArray(node)) for (let i = 0; i < node.length; i++) look(node[i], node, i, element);
    else for (const key of Object.keys(node)) look(node[key], node, key, element);
  }
  return spots;
}
