import { children, type Node, patternParts } from './syntax.ts';

/** What a function takes from around it. */
export interface FreeNames {
  /** Names that nothing inside binds, and the members read of each; `null` where one is used whole. */
  names: Map<string, Set<string> | null>;
  /** Things of the surrounding code that no text can carry, e.g. `this`. */
  outer: Set<'this' | 'arguments' | 'super' | 'new.target' | 'import.meta'>;
}

/** What a scope's function gives: an arrow passes `this`, `arguments` and the like through, the others bind some of them. */
type Binder = 'arrow' | 'function' | 'method' | 'class';

interface Scope {
  parent: Scope | null;
  names: Set<string>;
  /** `var` lands here. */
  hoist: boolean;
  binder: Binder | null;
}

interface Reference {
  name: string;
  scope: Scope;
  member: string | null;
}

/**
 * The free names of an expression. References are resolved after the walk, when every declaration of every scope is
 * known: that is what hoisting asks for.
 */
export function freeNames(root: Node): FreeNames {
  const walker = new Walker();
  walker.walk(root, open(null, true));
  return { names: unresolved(walker.references), outer: walker.outer };
}

function open(parent: Scope | null, hoist = false, binder: Binder | null = null): Scope {
  return { parent, names: new Set(), hoist, binder };
}

class Walker {
  readonly references: Reference[] = [];
  readonly outer: FreeNames['outer'] = new Set();

  walk(node: Node, scope: Scope): void {
    const visit = VISIT[node.type];
    if (visit) visit(this, node, scope);
    else this.walkChildren(node, scope);
  }

  walkChildren(node: Node, scope: Scope): void {
    for (const child of children(node)) this.walk(child, scope);
  }

  walkFunction(node: Node, scope: Scope, binder: Binder): void {
    const own = open(scope);
    if (node.type === 'FunctionExpression' && node.id) own.names.add(node.id.name);
    const params = open(own, true, binder);
    for (const param of node.params) this.bind(param, params);
    // A scope of its own: a default does not see the body's variables.
    const body = open(params, true);
    if (node.body.type === 'BlockStatement') this.walkChildren(node.body, body);
    else this.walk(node.body, body);
  }

  walkClass(node: Node, scope: Scope): void {
    const inner = open(scope);
    if (node.id) inner.names.add(node.id.name);
    if (node.superClass) this.walk(node.superClass, inner);
    for (const member of node.body.body) {
      if (member.computed) this.walk(member.key, inner);
      if (member.type === 'MethodDefinition') this.walkFunction(member.value, inner, 'method');
      else if (member.type === 'StaticBlock') this.walkChildren(member, open(inner, true, 'class'));
      else if (member.value) this.walk(member.value, open(inner, true, 'class'));
    }
  }

  bind(pattern: Node, into: Scope, scope = into): void {
    const { names, read } = patternParts(pattern);
    for (const name of names) into.names.add(name);
    for (const node of read) this.walk(node, scope);
  }

  refer(name: string, scope: Scope, member: string | null): void {
    if (name === 'arguments') this.needs('arguments', scope);
    else if (name !== 'undefined') this.references.push({ name, scope, member });
  }

  /** Notes that nobody between here and the root binds it, if so. */
  needs(what: 'this' | 'arguments' | 'super' | 'new.target', scope: Scope): void {
    for (let s: Scope | null = scope; s; s = s.parent) {
      if (!s.binder || s.binder === 'arrow') continue;
      if (what === 'super' && s.binder === 'function') continue;
      return;
    }
    this.outer.add(what);
  }
}

const inBlock = (walker: Walker, node: Node, scope: Scope) => walker.walkChildren(node, open(scope));

const VISIT: Record<string, (walker: Walker, node: Node, scope: Scope) => void> = {
  BlockStatement: inBlock,
  ForStatement: inBlock,
  ForInStatement: inBlock,
  ForOfStatement: inBlock,
  SwitchStatement: inBlock,
  BreakStatement() {},
  ContinueStatement() {},
  LabeledStatement: (walker, node, scope) => walker.walk(node.body, scope),
  Identifier: (walker, node, scope) => walker.refer(node.name, scope, null),
  ThisExpression: (walker, _, scope) => walker.needs('this', scope),
  Super: (walker, _, scope) => walker.needs('super', scope),
  MetaProperty(walker, node, scope) {
    if (node.meta.name === 'new') walker.needs('new.target', scope);
    else walker.outer.add('import.meta');
  },
  ArrowFunctionExpression: (walker, node, scope) => walker.walkFunction(node, scope, 'arrow'),
  FunctionExpression: (walker, node, scope) => walker.walkFunction(node, scope, 'function'),
  FunctionDeclaration(walker, node, scope) {
    scope.names.add(node.id.name);
    walker.walkFunction(node, scope, 'function');
  },
  ClassExpression: (walker, node, scope) => walker.walkClass(node, scope),
  ClassDeclaration(walker, node, scope) {
    scope.names.add(node.id.name);
    walker.walkClass(node, scope);
  },
  VariableDeclaration(walker, node, scope) {
    let into = scope;
    if (node.kind === 'var') while (!into.hoist) into = into.parent!;
    for (const { id, init } of node.declarations) {
      walker.bind(id, into, scope);
      if (init) walker.walk(init, scope);
    }
  },
  CatchClause(walker, node, scope) {
    const block = open(scope);
    if (node.param) walker.bind(node.param, block);
    walker.walk(node.body, block);
  },
  MemberExpression(walker, node, scope) {
    if (node.computed) {
      walker.walk(node.object, scope);
      walker.walk(node.property, scope);
    } else if (node.object.type === 'Identifier') walker.refer(node.object.name, scope, node.property.name);
    else walker.walk(node.object, scope);
  },
  Property(walker, node, scope) {
    if (node.computed) walker.walk(node.key, scope);
    if (node.method || node.kind !== 'init') walker.walkFunction(node.value, scope, 'method');
    else walker.walk(node.value, scope);
  },
};

function unresolved(references: Reference[]): FreeNames['names'] {
  const names: FreeNames['names'] = new Map();
  for (const { name, scope, member } of references) {
    let s: Scope | null = scope;
    while (s && !s.names.has(name)) s = s.parent;
    if (s) continue;
    const members = names.has(name) ? names.get(name)! : new Set<string>();
    names.set(name, member === null || members === null ? null : members.add(member));
  }
  return names;
}
