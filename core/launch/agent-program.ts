/**
 * The program of an agent, as text: another machine needs nothing but Node. A small script on the command line reads one line,
 * in which all files of the program are packed, and runs it from a folder that it removes in the end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { programUrl } from './programs.ts';

/** Exit code of a machine whose Node is too old. */
export const OLD_NODE = 64;

/**
 * In a JavaScript that any Node reads, to say which one is wanted. Without single quotes, backslashes and exclamation marks, which
 * shells read differently.
 */
const BOOTSTRAP = `
var v=process.versions.node.split("."),i=process.stdin,c=[];
if(v[0]<20||(v[0]==20&&v[1]<19)){console.error("tutti needs Node 20.19 or later; this is "+process.version);process.exit(${OLD_NODE})}
i.on("data",function t(s){
var n=s.indexOf(10);
c.push(n<0?s:s.subarray(0,n));
if(n<0)return;
i.off("data",t);i.pause();
if(n+1<s.length)i.unshift(s.subarray(n+1));
var f=require("fs"),p=require("path"),d=f.mkdtempSync(p.join(require("os").tmpdir(),"tutti-agent-"));
var m=JSON.parse(require("zlib").gunzipSync(Buffer.from(Buffer.concat(c).toString(),"base64")));
for(var k in m)f.writeFileSync(p.join(d,k),m[k]);
import(require("url").pathToFileURL(p.join(d,"agent.mjs"))).then(function(a){a.serve(d)})
})`.replaceAll('\n', '');

/** What a shell is to run. Nothing in it is secret. */
export function agentCommand(node: string): string {
  return `exec ${node} -e '${BOOTSTRAP}'`;
}

let packed: string | undefined;

/** What the agent is to read first, without its newline. */
export function agentProgram(): string {
  if (packed) return packed;
  const folder = new URL('.', programUrl('agent.mjs'));
  const files: Record<string, string> = {};
  for (const name of readdirSync(fileURLToPath(folder)))
    if (name.endsWith('.mjs')) files[name] = readFileSync(new URL(name, folder), 'utf8');
  return (packed = gzipSync(JSON.stringify(files)).toString('base64'));
}
