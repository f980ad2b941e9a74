/** A real Slurm of one node, this machine: its own munge, slurmctld and slurmd, with ports and folders of their own. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { programAt } from './programs.ts';

export interface Slurm {
  /** The folder of it all; `shared` in it is for jobs. */
  readonly shared: string;
  /** Jobs that there are, as squeue lists them. */
  jobs(): Promise<string[]>;
  close(): Promise<void>;
}

/** Sets SLURM_CONF of this process, by which Slurm's commands find it. Rejects with why it cannot run here. */
export async function startSlurm(): Promise<Slurm> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-slurm-'));
  const at = (name: string): string => path.join(folder, name);
  const shared = at('shared');
  for (const name of ['state', 'spool', 'shared', 'munge']) mkdirSync(at(name), { mode: 0o755 });
  chmodSync(folder, 0o755);
  const [ctl, node] = [await freePort(), await freePort()];
  const name = hostname().split('.')[0]!;
  const { username } = userInfo();
  const socket = at('munge/socket');
  writeFileSync(
    at('slurm.conf'),
    [
      'ClusterName=tutti',
      `SlurmctldHost=${name}(127.0.0.1)`,
      `SlurmctldPort=${ctl}`,
      `SlurmdPort=${node}`,
      `SlurmUser=${username}`,
      `SlurmdUser=${username}`,
      'AuthType=auth/munge',
      'CredType=cred/munge',
      `AuthInfo=socket=${socket}`,
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool')}`,
      `SlurmctldPidFile=${at('slurmctld.pid')}`,
      `SlurmdPidFile=${at('slurmd.pid')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'JobAcctGatherType=jobacct_gather/none',
      'AccountingStorageType=accounting_storage/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'SwitchType=switch/none',
      'MpiDefault=none',
      'ReturnToService=2',
      'SchedulerParameters=sched_interval=1,batch_sched_delay=0',
      'KillWait=5',
      'MinJobAge=30',
      `NodeName=${name} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN`,
      `PartitionName=main Nodes=${name} Default=YES MaxTime=60 State=UP OverSubscribe=FORCE:8`,
      '',
    ].join('\n'),
  );
  writeFileSync(at('munge/key'), Buffer.alloc(128, 'tutti'), { mode: 0o400 });
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    delete process.env.SLURM_CONF;
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(timer);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const run = (program: string, ...args: string[]): void => {
    const log = openSync(at(`${program}.log`), 'a');
    const env = { ...process.env, SLURM_CONF: at('slurm.conf') };
    children.push(spawn(programAt(program)!, args, { stdio: ['ignore', log, log], env }));
  };
  try {
    process.env.SLURM_CONF = at('slurm.conf');
    run(
      'munged',
      '--foreground',
      '--force',
      `--socket=${socket}`,
      `--key-file=${at('munge/key')}`,
      `--pid-file=${at('munge/pid')}`,
      `--log-file=${at('munge/log')}`,
      `--seed-file=${at('munge/seed')}`,
    );
    await until(
      () => execFileSync('munge', [`--socket=${socket}`, '--no-input'], { stdio: 'ignore' }),
      'munged',
      at('munged.log'),
    );
    run('slurmctld', '-D', '-c', '-f', at('slurm.conf'));
    run('slurmd', '-D', '-f', at('slurm.conf'));
    await until(
      () => {
        const state = execFileSync('sinfo', ['--noheader', '--format=%t'], { stdio: ['ignore', 'pipe', 'ignore'] });
        if (!/^(idle|mix|alloc)\s*$/m.test(state.toString())) throw new Error(`the node is ${state}`);
      },
      'slurmctld and slurmd',
      at('slurmctld.log'),
      at('slurmd.log'),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    shared,
    async jobs() {
      const { stdout } = await promisify(execFile)('squeue', ['--noheader', '--format=%i %T']);
      return stdout.split('\n').filter(Boolean);
    },
    close,
  };
}

async function until(check: () => void, what: string, ...logs: string[]): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > deadline) {
        const said = logs.map((log) => readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')).join('\n');
        throw new Error(`${what} does not run here: ${(error as Error).message}\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
