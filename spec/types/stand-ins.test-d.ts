/** Compiled, never run: what stands in for a file of core in a browser has what its callers use of it. */
import * as builtins from '../../browser/builtins.ts';
import * as bytes from '../../browser/bytes.ts';
import * as captures from '../../browser/captures.ts';
import * as codeHash from '../../browser/code-hash.ts';
import * as moduleReference from '../../browser/module-reference.ts';
import * as program from '../../browser/program.ts';
import * as script from '../../browser/script.ts';
import * as secrets from '../../browser/secrets.ts';
import * as text from '../../browser/text.ts';
import * as whereabouts from '../../browser/whereabouts.ts';

builtins satisfies typeof import('../../core/functions/builtins.ts');
bytes satisfies typeof import('../../core/wire/bytes.ts');
captures satisfies typeof import('../../core/functions/captures.ts');
codeHash satisfies typeof import('../../core/wire/code-hash.ts');
moduleReference satisfies typeof import('../../core/functions/module-reference.ts');
program satisfies typeof import('../../core/client/program.ts');
script satisfies Pick<typeof import('../../core/functions/script.ts'), 'bundleScript'>;
secrets satisfies typeof import('../../core/wire/secrets.ts');
text satisfies typeof import('../../core/console/text.ts');
whereabouts satisfies typeof import('../../core/functions/whereabouts.ts');
