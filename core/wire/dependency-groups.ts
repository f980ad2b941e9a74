/**
 * Orders things that need each other: every group comes after the groups that it needs, and things that need each
 * other in circles form one group. Tarjan's algorithm, without recursion; linear.
 */
export function dependencyGroups(needs: readonly (readonly number[])[]): number[][] {
  const groups: number[][] = [];
  const order = new Int32Array(needs.length);
  const low = new Int32Array(needs.length);
  const next = new Int32Array(needs.length);
  const open: number[] = [];
  const isOpen = new Uint8Array(needs.length);
  let count = 0;
  for (let start = 0; start < needs.length; start++) {
    if (order[start]) continue;
    const path = [start];
    while (path.length > 0) {
      const at = path[path.length - 1]!;
      if (!order[at]) {
        order[at] = low[at] = ++count;
        open.push(at);
        isOpen[at] = 1;
      }
      const need = needs[at]![next[at]!++];
      if (need !== undefined) {
        if (!order[need]) path.push(need);
        else if (isOpen[need]) low[at] = Math.min(low[at]!, order[need]!);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[at]!);
      if (low[at] === order[at]) {
        const group = open.splice(open.lastIndexOf(at));
        for (const member of group) isOpen[member] = 0;
        groups.push(group);
      }
    }
  }
  return groups;
}
