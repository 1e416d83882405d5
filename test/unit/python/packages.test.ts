/** What installed packages use while they load, and what decides which of their branches is taken. */
import { printAsPython } from "./programs.ts";

describe("The standard library as packages use it", () => {
  printAsPython([
  ["isinstance of abstract collections", "from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence\nfrom enum import Enum, EnumMeta\nclass M(Enum):\n    A = 'a'\nprint(isinstance([1], Sequence), isinstance('a', Hashable), isinstance([], Hashable), isinstance({}, Mapping), isinstance(len, Callable), isinstance(1, Iterable), isinstance(M, EnumMeta), isinstance(M.A, EnumMeta), isinstance(M, Collection))", "True True False True True False True False True"],
  ["isinstance of typing's names", "from typing import Sequence, Callable\nprint(isinstance((1, 2), Sequence), isinstance(3, Callable))", "True False"],
  ["versions", "from packaging.version import parse, Version\nprint(parse('1.10.0') > parse('1.9'), Version('2.0.0rc1') < Version('2.0'), parse('2.1.0+cu118') >= parse('2.1'), parse('1.13').major)", "True True True 1"],
  ["the version of Python", "import sys\nprint(sys.version_info >= (3, 8), sys.version_info.major, sys.version_info[0])", "True 3 3"],
  ["the machine's limits", "import sys\nprint(sys.float_info.epsilon)", "2.220446049250313e-16"],
  ["variables of the environment, which are not set", "import os\nprint(os.environ.get('A', 'b'), os.getenv('A'), 'A' in os.environ, os.path.join('a', 'b'), os.path.basename('a/b.py'))", "b None False a/b b.py"],
  ["JSON in a module", "import json\nd = json.loads('{\"version\": \"1.6\", \"n\": [1, 2.5, null, true]}')\nprint(d['version'], d['n'])", "1.6 [1, 2.5, None, True]"],
  ["kinds of callables", "import inspect\nclass A:\n    def f(self): pass\nprint(inspect.isclass(A), inspect.isfunction(A.f), inspect.ismethod(A().f), inspect.isclass(A()))", "True True True False"],
  ["signatures", "import inspect\ndef f(a, b=2, *args, c, **more): pass\ns = inspect.signature(f)\nprint(list(s.parameters), s.parameters['b'].default, s.parameters['a'].default is inspect.Parameter.empty, s.parameters['more'].kind == inspect.Parameter.VAR_KEYWORD)\nprint(s.bind(1, c=3).arguments, s.bind(1, 2, 3, c=4, d=5).arguments)", "['a', 'b', 'args', 'c', 'more'] 2 True True\n{'a': 1, 'c': 3} {'a': 1, 'b': 2, 'args': (3,), 'c': 4, 'more': {'d': 5}}"],
  ["signatures of classes and methods leave self out", "import inspect\nclass A:\n    def __init__(self, x, y=1): pass\n    def f(self, z): pass\nprint(list(inspect.signature(A).parameters), list(inspect.signature(A(1).f).parameters))", "['x', 'y'] ['z']"],
  ["modules by name", "import importlib\nm = importlib.import_module('math')\ntry:\n    importlib.import_module('no_such_module')\nexcept ImportError:\n    print(m.sqrt(4.0), 'missing')", "2.0 missing"],
  ["packages by name", "m = __import__('math')\nnp = __import__('numpy.linalg')\ntry:\n    __import__('no_such_module')\nexcept ImportError as e:\n    print(m.sqrt(4.0), np.abs(-1), e.__traceback__)", "2.0 1 None"],
  ["patterns of letters", "import re\nprint(re.search('[SaUO]', '<f4'), re.search('[a-z]4', '<f4').span(), re.match('f4', '<f4'), re.fullmatch('f[0-9]', 'f4').group())", "None (1, 3) None f4"],
  ["types of NumPy by name", "import numpy as np\nprint(np.dtype('float32').str, np.dtype(bool).str, np.dtype('uint16') == np.uint16, {np.dtype('uint16'): 1}[np.zeros(1, 'uint16').dtype])", "<f4 |b1 True 1"],
  ["whether a module is there", "import importlib.util\nprint(importlib.util.find_spec('torch') is not None, importlib.util.find_spec('no_such_module'))", "True None"],
  ["kinds of values", "import types\ndef f(): pass\nprint(isinstance(f, types.FunctionType), isinstance(types, types.ModuleType), types.SimpleNamespace(a=1).a)", "True True 1"],
  ["text taken apart at a separator", "print('2.13.0+cpu'.partition('+'), 'a.b.c'.rpartition('.'), 'x'.partition('.'), 'B'.isnumeric(), '12'.isnumeric())", "('2.13.0', '+', 'cpu') ('a.b', '.', 'c') ('x', '', '') False True"],
  ["locks and thread-local state", "import threading\nstate = threading.local()\nstate.x = 3\nwith threading.Lock():\n    print(state.x, hasattr(state, 'y'))", "3 False"],
  ["a registry that asks who calls it", "import inspect, sys\ndef scope():\n    return inspect.getmodule(sys._getframe(1)) is None\nprint(scope())", "True"],
  ]); // prettier-ignore
});
