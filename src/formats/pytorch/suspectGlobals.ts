/** Names in a pickle that no weights need: what they name would run, were the file given to Python. */
import type { ModelWarning } from "../../model/model.ts";

const suspectModules = setOf(`
  os posix nt posixpath ntpath sys subprocess _posixsubprocess popen2 commands pty shutil socket ssl
  requests urllib urllib2 http httplib ftplib smtplib telnetlib webbrowser aiohttp httpx importlib imp
  runpy pkgutil pydoc zipimport pip setuptools code codeop pdb bdb trace timeit profile cProfile
  doctest idlelib ctypes _ctypes cffi mmap signal multiprocessing threading asyncio concurrent pickle
  _pickle cPickle dill cloudpickle marshal shelve types inspect gc linecache tempfile pathlib2
  platform builtins __builtin__ operator _operator functools atexit sched site bpython`);

/** Of those modules, what only holds data. */
const harmless = setOf(`
  set frozenset list tuple dict bytes bytearray int float str complex bool slice range object type
  unicode long xrange print Ellipsis NotImplemented NoneType SimpleNamespace partial OrderedDict`);

/** Names elsewhere that reach code or files. */
const suspectName =
  /^(eval|exec|execfile|compile|system|popen|spawn\w*|exec[lv]p?e?|__import__|import_module|open|getattr|setattr|delattr|globals|locals|loads?|run|call|check_output|Popen|Function|FunctionType|CodeType|LambdaType|MethodType)$/;
const suspectPaths =
  /^(torch\.(load|hub|utils\.cpp_extension|utils\.bottleneck|_inductor|compile|jit\.load)|numpy\.(testing|f2py|distutils|load|fromfile|memmap)|pandas\.(read|io)|joblib\.load)/;

/** Names of what would run, in alphabetical order. */
export function suspectGlobals(globals: ReadonlySet<string>): readonly string[] {
  return [...globals].filter(isSuspect).sort();
}

function isSuspect(path: string): boolean {
  const [module = ""] = path.split(".", 1);
  const name = path.slice(path.lastIndexOf(".") + 1);
  if (suspectModules.has(module)) return !harmless.has(name);
  return suspectPaths.test(path) || (suspectName.test(name) && !/^(torch|numpy)\b/.test(path));
}

const maxNamed = 12;

/** The list as text, shortened. */
export function namedBriefly(names: readonly string[]): string {
  const more = names.length - maxNamed;
  return names.slice(0, maxNamed).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

export function globalsWarnings(globals: ReadonlySet<string>): readonly ModelWarning[] {
  const suspects = suspectGlobals(globals);
  if (suspects.length === 0) return [];
  return [
    {
      code: "PICKLE_GLOBALS",
      message:
        `the pickle names what no weights need and Python would run: ${namedBriefly(suspects)}; ` +
        "nothing of it was run here, and the file should not be given to torch.load",
    },
  ];
}

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/));
}
