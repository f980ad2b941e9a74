import { cluster } from 'tutti'; import { taskFarm } from 'tutti/paradigms';
const c = await cluster({engines:2, kind: process.argv[2] ?? 'process'});
const farm = c.use(taskFarm);
await farm.submit((x)=>x+1, 41);
for (const N of [100, 1000, 2000, 4000, 8000]) {
 let t=performance.now(); const all=[]; for (let i=0;i<N;i++) all.push(farm.submit(x=>x,i));
 const timer = setTimeout(async()=>{ console.log('stuck', await farm.stats(), all.filter(r=>r.status==='pending').length, await farm.explain(all.find(r=>r.status==='pending'))); process.exit(1) }, 5000);
 await Promise.all(all); clearTimeout(timer); console.log(N, Math.round(N/(performance.now()-t)*1000),'/s');
}
await c.close();
