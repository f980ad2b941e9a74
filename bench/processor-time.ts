/** What programs have computed, which does not depend on how busy the machine is with others. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What of it is the machine's being busy with others: the least time that its own work takes on all cores. */
export function alone(used: number, unit: string): string {
  return `, its work ${(used / availableParallelism()).toFixed(1)} ${unit} on all cores`;
}

/** ms of processor time, threads included. */
export function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** ms of processor time, in steps of 10. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
