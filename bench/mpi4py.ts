/** mpi4py, measured the same way, where it is installed. */
import { execFileSync } from 'node:child_process';

/** µs, and GB/s. */
export interface Mpi4py {
  latency: number;
  object: number;
  mib: number;
  mib64: number;
  object64k: number;
  objectMib: number;
  allreduce: number;
  barrier: number;
  /** 64 KiB, GB/s. */
  bw: number;
  bibw: number;
  /** 8 B in pairs: messages/s, and µs. */
  rate: number;
  pairs: number;
  /** 1 kB, µs. */
  bcast: number;
  allreduceKb: number;
  alltoall: number;
}

const PROGRAM = `
from mpi4py import MPI; import time, json, numpy as np
c=MPI.COMM_WORLD; r=c.rank; out={}
def ping(send, recv, n):
    def step():
        if r>1: return
        if r==0: send(1); recv(1)
        else: recv(0); send(0)
    for _ in range(n//5): step()
    t=time.perf_counter()
    for _ in range(n): step()
    return (time.perf_counter()-t)/n/2
def buffer(size, n):
    b=np.zeros(size, dtype=np.uint8)
    return ping(lambda p: c.Send(b,p), lambda p: c.Recv(b,p), n)
def obj(o, n): return ping(lambda p: c.send(o,p), lambda p: c.recv(source=p), n)
out['latency']=buffer(8,20000)*1e6
out['mib']=(1<<20)/buffer(1<<20,1000)/1e9
if c.size==2: out['mib64']=(64<<20)/buffer(64<<20,10)/1e9
out['object']=obj({'k': list(range(10))},5000)*1e6
out['object64k']=(64<<10)/obj({'data': np.zeros(8<<10)},1000)/1e9
out['objectMib']=(1<<20)/obj({'data': np.zeros(128<<10)},1000)/1e9
a=np.ones(1); b=np.zeros(1)
def each(f, n):
    for _ in range(n//5): f()
    t=time.perf_counter()
    for _ in range(n): f()
    return (time.perf_counter()-t)/n*1e6
out['allreduce']=each(lambda: c.Allreduce(a,b), 5000)
out['barrier']=each(c.Barrier, 5000)
m=r^1
def window(size, n, both):
    o=np.zeros(size, dtype=np.uint8); into=[np.zeros(size, dtype=np.uint8) for _ in range(64)]; one=np.zeros(4, dtype=np.uint8)
    def round():
        open=[]
        if both or r%2: open+=[c.Irecv(b, m) for b in into]
        if both or r%2==0: open+=[c.Isend(o, m) for _ in range(64)]
        MPI.Request.Waitall(open)
        if r%2: c.Send(one, m, 1)
        else: c.Recv(one, m, 1)
    for _ in range(n//10): round()
    c.Barrier()
    t=time.perf_counter()
    for _ in range(n): round()
    c.Barrier()
    return (time.perf_counter()-t)/n
if c.size==2:
    out['bw']=64*65536/window(65536,100,False)/1e9
    out['bibw']=2*64*65536/window(65536,100,True)/1e9
else:
    out['rate']=2*64/window(8,200,False)
    b=np.zeros(8, dtype=np.uint8)
    def pair():
        if r%2: c.Recv(b,m); c.Send(b,m)
        else: c.Send(b,m); c.Recv(b,m)
    out['pairs']=each(pair, 2000)/2
    k=np.zeros(1000, dtype=np.uint8); d=np.zeros(125); e=np.zeros(125); k2=np.zeros(1000, dtype=np.uint8)
    out['bcast']=each(lambda: c.Bcast(k), 1000)
    out['allreduceKb']=each(lambda: c.Allreduce(d,e), 1000)
    out['alltoall']=each(lambda: c.Alltoall(k,k2), 1000)
if r==0: print(json.dumps({k: round(v,3) for k,v in out.items()}))
`;

/** @param options of mpiexec */
export function mpi4py(options: readonly string[], ranks = 2): Mpi4py | undefined {
  try {
    const args = [
      '-n',
      String(ranks),
      '--allow-run-as-root',
      '--oversubscribe',
      ...options,
      '/usr/bin/python3',
      '-c',
      PROGRAM,
    ];
    return JSON.parse(
      execFileSync('mpiexec', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 300_000 }),
    );
  } catch {
    return undefined;
  }
}
