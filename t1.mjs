import { cluster } from 'tutti'; import { taskFarm } from 'tutti/paradigms';
const c = await cluster({engines:2, kind: process.argv[2] ?? 'process'});
const farm = c.use(taskFarm);
console.log(await farm.submit((x)=>x+1, 41));
const r = farm.submit((x)=>x*2, 4); const s = farm.submit((a,b)=>a+b, r, 1);
console.log(await s, s.targets, s.id, r.id);
await farm.submit(()=>{throw new RangeError('no')}).catch(e=>console.log(e.name, e.message, e.engine, e.task));
await farm.submit((x)=>x, farm.submit(()=>{throw new RangeError('no')})).catch(e=>console.log(e.name, e.message, e.cause.name));
console.log((await farm.map(Array.from({length:1000},(_, i)=>i), x=>x*x)).reduce((a,b)=>a+b));
let n=0; for await (const v of farm.map((function*(){for(let i=0;;i++) yield i})(), x=>x)) { n+=v; if (v==500) break }
console.log(n);
console.log(await c.all.apply((x)=>x, farm.submit(()=>new Promise(r=>setTimeout(r,50,7)))));
const big = farm.submit(()=>new Uint8Array(1e6).fill(3));
console.log(await farm.submit(b=>b.length, big), (await big).length);
console.log(await farm.stats());
for (let k=0;k<3;k++){
const N=50000; let t=performance.now(); const all=[]; for (let i=0;i<N;i++) all.push(farm.submit(x=>x,i)); await Promise.all(all); console.log('burst', Math.round(N/(performance.now()-t)*1000),'/s');
t=performance.now(); let i=0; await Promise.all(Array.from({length:10000}, async()=>{ while(i<100000){ i++; await farm.submit(x=>x,i) } })); console.log('10k in flight', Math.round(1e5/(performance.now()-t)*1000),'/s');
t=performance.now(); for(let i=0;i<2000;i++) await farm.submit(x=>x,i); console.log('one at a time', (performance.now()-t)/2000*1000,'us');
}
await c.close();
