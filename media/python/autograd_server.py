"""Runs a loss in the user's own Python and differentiates it with its own library.

A warm process of the Dice Gradient Inspector, started only on an explicit command in a trusted
workspace. It reads requests from standard input and answers on standard output, one frame each way:

    4 bytes  length of the header, little-endian
    header   UTF-8 JSON; "arrays" in it lists {dtype, shape, bytes} of what follows
    arrays   the elements, row-major, little-endian, one array after the other

What the user's code prints goes to standard error. Only the standard library and NumPy are needed
besides the library that the loss itself is written for.
"""

import ast
import builtins
import contextlib
import importlib
import importlib.util
import json
import os
import queue
import struct
import sys
import threading
import time
import traceback
import types


class Refused(Exception):
    """A request that cannot be served; the message is shown as it stands."""


# Frames


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def read_frame(stream):
    (length,) = struct.unpack("<I", read_exactly(stream, 4))
    header = json.loads(read_exactly(stream, length))
    arrays = [read_exactly(stream, a["bytes"]) for a in header.get("arrays", [])]
    return header, arrays


def write_frame(stream, header, arrays=()):
    header["arrays"] = [
        {"dtype": a.dtype.name, "shape": list(a.shape), "bytes": a.nbytes} for a in arrays
    ]
    text = json.dumps(header).encode()
    stream.write(struct.pack("<I", len(text)) + text)
    for a in arrays:
        stream.write(a.tobytes())
    stream.flush()


# The user's program


PROGRAM_NAME = "__dice_gradient__"


class Program:
    """The name space of a file, or of a notebook's cells one after another."""

    def __init__(self, folder, numpy_as):
        self.folder = folder
        self.numpy_as = numpy_as
        self.ran = []
        self.module = types.ModuleType(PROGRAM_NAME)
        self.module.__dict__["__name__"] = PROGRAM_NAME
        # Dataclasses and Keras look a class's module up by its name.
        sys.modules[self.module.__name__] = self.module

    def run(self, sources):
        for source in sources:
            file, text = source["file"], source["text"]
            self.module.__dict__["__file__"] = source.get("path") or file
            tree = ast.parse(text, file)
            if source.get("isCell") and tree.body and isinstance(tree.body[-1], ast.Expr):
                # The call under inspection, or a value that nobody sees here.
                tree.body.pop()
            exec(compile(tree, file, "exec"), self.module.__dict__)
            self.ran.append(source)

    def evaluate(self, text):
        return eval(compile(text, "<call>", "eval"), self.module.__dict__)


@contextlib.contextmanager
def standing_in_for_numpy(name, folder):
    """NumPy is another library meanwhile, in the user's own code and in what that code imports anew.

    The program has run with the real one by then, which can do more than any other: draw random
    numbers, or write into an array. Libraries that the code imports keep the real one as well.
    """
    if name is None:
        yield
        return
    other = importlib.import_module(name)
    real = builtins.__import__

    def imported(module, globals=None, locals=None, fromlist=(), level=0):
        first, *parts = module.split(".")
        if level != 0 or first != "numpy" or not is_own(globals or {}, folder):
            return real(module, globals, locals, fromlist, level)
        return within(other, parts if fromlist else ())

    swapped = []
    for names in [program.module.__dict__, *(sys.modules[m].__dict__ for m, _ in own_modules(folder))]:
        for key, value in list(names.items()):
            counterpart = counterpart_of(value, other)
            if counterpart is not value:
                swapped.append((names, key, value))
                names[key] = counterpart
    builtins.__import__ = imported
    try:
        yield
    finally:
        builtins.__import__ = real
        for names, key, value in swapped:
            names[key] = value


def counterpart_of(value, other):
    """What stands for NumPy, a part of it or one of its functions in another library; else itself."""
    if isinstance(value, types.ModuleType):
        first, *parts = value.__name__.split(".")
        if first != "numpy":
            return value
    else:
        name, home = getattr(value, "__name__", None), getattr(value, "__module__", None) or "numpy"
        if not isinstance(name, str) or not isinstance(home, str) or home.split(".")[0] != "numpy":
            return value
        parts = [*home.split(".")[1:], name]
        if within(need("numpy"), parts, None) is not value:
            return value
    return within(other, parts, value)


def within(module, parts, *default):
    """An attribute of an attribute of a module, or the default where there is none."""
    for part in parts:
        if default and not hasattr(module, part):
            return default[0]
        module = getattr(module, part)
    return module


def is_own(names, folder):
    """Whether a module of these global names is the user's: the program, or a file below the folder."""
    if names.get("__name__") == PROGRAM_NAME:
        return True
    file = names.get("__file__")
    if not isinstance(file, str) or "site-packages" in file:
        return False
    return os.path.realpath(file).startswith(os.path.realpath(folder) + os.sep)


program = None
user_modules = {}


def program_for(request):
    """The program so far if it only grew, else a new one."""
    global program
    folder, sources = request["folder"], request["sources"]
    numpy_as = STANDS_IN.get(request["backend"]) if request["writtenFor"] == "numpy" else None
    if folder not in sys.path:
        sys.path.insert(0, folder)
    os.chdir(folder)
    stale = forget_changed_modules(folder)
    same = (
        program is not None
        and not stale
        and program.folder == folder
        and program.numpy_as == numpy_as
        and sources[: len(program.ran)] == program.ran
    )
    if not same:
        program = Program(folder, numpy_as)
    program.run(sources[len(program.ran) :])
    for name, changed in own_modules(folder):
        user_modules.setdefault(name, changed)
    return program


def own_modules(folder):
    """The user's modules below the folder, each with the time at which its file last changed."""
    for name, module in list(sys.modules.items()):
        names = getattr(module, "__dict__", {})
        if name == PROGRAM_NAME or not is_own(names, folder):
            continue
        try:
            yield name, os.stat(names["__file__"]).st_mtime_ns
        except OSError:
            yield name, None


def forget_changed_modules(folder):
    """Drops the user's own modules if one of them has changed on disk since it was imported."""
    if all(user_modules.get(name, changed) == changed for name, changed in own_modules(folder)):
        return False
    for name in list(user_modules):
        sys.modules.pop(name, None)
    user_modules.clear()
    importlib.invalidate_caches()
    return True


# Libraries

# What `import numpy` gives when a loss written in NumPy is to be differentiated.
STANDS_IN = {
    "autograd": "autograd.numpy",
    "jax": "jax.numpy",
    "tensorflow": "tensorflow.experimental.numpy",
}


def need(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Refused(
            f"{sys.executable} has no {name}: {error}. Install it there, or choose an interpreter that has it."
        ) from error


def decode(description, data):
    """An array of the request as NumPy's; bfloat16 comes as its bits."""
    numpy = need("numpy")
    dtype, shape = description["dtype"], description["shape"]
    if dtype == "bfloat16":
        return numpy.frombuffer(data, "<u2").reshape(shape), dtype
    return numpy.frombuffer(data, numpy.dtype(dtype).newbyteorder("<")).reshape(shape), dtype


class Torch:
    name = "torch"

    def __init__(self, device):
        self.torch = need("torch")
        if device == "cuda" and not self.torch.cuda.is_available():
            raise Refused("PyTorch sees no CUDA device here; run it on the CPU.")
        self.device = device

    def array(self, values, dtype):
        torch = self.torch
        if dtype == "bfloat16":
            return torch.from_numpy(values.copy().view("<i2")).view(torch.bfloat16).to(self.device)
        if dtype in ("uint16", "uint32", "uint64"):
            values = values.astype("int64")
        return torch.from_numpy(values.copy()).to(self.device)

    def gradient(self, call, leaf):
        torch = self.torch
        if not leaf.is_floating_point():
            raise Refused(f"PyTorch has no gradient by an array of {leaf.dtype}; pass a float array.")
        leaf.requires_grad_(True)
        result = call(leaf)
        loss = scalar_of(result, lambda v: isinstance(v, torch.Tensor) and v.ndim == 0)
        if not isinstance(loss, torch.Tensor):
            raise Refused(f"the function returned {type(loss).__name__}, not a tensor.")
        total = loss.sum()
        note = None
        if total.requires_grad:
            total.backward()
        else:
            note = "autograd says that the loss does not require grad: no gradient reaches the input"
        gradient = leaf.grad
        if gradient is None:
            note = note or "autograd left .grad None: no gradient reaches the input"
            gradient = torch.zeros_like(leaf)
        if self.device == "cuda":
            torch.cuda.synchronize()
        return self.numbers(total), self.numbers(gradient), str(total.dtype).replace("torch.", ""), note

    def numbers(self, tensor):
        tensor = tensor.detach().cpu()
        if tensor.dtype in (self.torch.bfloat16, self.torch.float16):
            tensor = tensor.to(self.torch.float32)  # exact
        return tensor.numpy()

    def about(self):
        device = self.device
        if device == "cuda":
            device = f"cuda ({self.torch.cuda.get_device_name()})"
        return "PyTorch", self.torch.__version__, device


class Jax:
    name = "jax"

    def __init__(self, device):
        self.jax = need("jax")
        self.jnp = need("jax.numpy")
        self.device = device
        # As given: without it JAX makes float32 of float64.
        self.jax.config.update("jax_enable_x64", True)

    def array(self, values, dtype):
        array = self.jnp.asarray(values)
        return array.view("bfloat16") if dtype == "bfloat16" else array

    def gradient(self, call, leaf):
        dtype = None

        def loss(x):
            nonlocal dtype
            value = scalar_of(call(x), lambda v: self.jnp.ndim(v) == 0)
            dtype = self.jnp.asarray(value).dtype.name
            return self.jnp.sum(value)

        value, gradient = self.jax.value_and_grad(loss)(leaf)
        return as_numpy(value), as_numpy(gradient), dtype, None

    def about(self):
        device = self.jax.devices()[0]
        return "JAX", self.jax.__version__, f"{device.platform}:{device.id}"


class TensorFlow:
    name = "tensorflow"

    def __init__(self, device):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self.tf = need("tensorflow")
        self.device = device

    def stand_in(self):
        """From now on tensors mix types as NumPy's arrays do. It cannot be taken back."""
        need(STANDS_IN["tensorflow"]).experimental_enable_numpy_behavior()

    def array(self, values, dtype):
        if dtype == "bfloat16":
            return self.tf.bitcast(self.tf.constant(values), self.tf.bfloat16)
        return self.tf.constant(values)

    def gradient(self, call, leaf):
        tf = self.tf
        note = None
        with tf.GradientTape() as tape:
            tape.watch(leaf)
            loss = scalar_of(call(leaf), lambda v: getattr(v, "shape", None) == ())
            loss = tf.convert_to_tensor(loss)
            total = tf.reduce_sum(loss)
        self.device = total.device.rsplit("device:", 1)[-1].lower() or self.device
        gradient = tape.gradient(total, leaf)
        if gradient is None:
            note = "GradientTape returned None: no gradient reaches the input"
            gradient = tf.zeros_like(leaf)
        return as_numpy(total), as_numpy(tf.convert_to_tensor(gradient)), total.dtype.name, note

    def about(self):
        return "TensorFlow", self.tf.__version__, self.device


class Autograd:
    name = "autograd"

    def __init__(self, device):
        self.autograd = need("autograd")
        self.anp = need("autograd.numpy")
        self.device = device

    def array(self, values, dtype):
        if dtype == "bfloat16":
            raise Refused("NumPy, which HIPS Autograd differentiates, has no bfloat16.")
        return values.copy()

    def gradient(self, call, leaf):
        def loss(x):
            return self.anp.sum(scalar_of(call(x), lambda v: self.anp.ndim(v) == 0))

        value, gradient = self.autograd.value_and_grad(loss)(leaf)
        value = as_numpy(value)
        return value, as_numpy(gradient), value.dtype.name, None

    def about(self):
        version = importlib.import_module("importlib.metadata").version("autograd")
        return "HIPS Autograd", version, "cpu"


BACKENDS = {"torch": Torch, "jax": Jax, "tensorflow": TensorFlow, "autograd": Autograd}


def as_numpy(value):
    numpy = need("numpy")
    array = numpy.asarray(value)
    return array.astype(numpy.float32) if array.dtype.name in ("bfloat16", "float16") else array


def scalar_of(result, is_scalar):
    """The loss among what a function returned, as the inspector takes it."""
    if isinstance(result, dict):
        for key in ("total_loss", "loss"):
            if key in result:
                return result[key]
        return next(iter(result.values()))
    if isinstance(result, (tuple, list)):
        scalars = [x for x in result if is_scalar(x)]
        return scalars[0] if scalars else result[0]
    return result


# Requests


def run(request, payloads, progress):
    progress(f"importing {request['backend']}")
    backend = BACKENDS[request["backend"]](request["device"])
    progress("running the code")
    own = program_for(request)
    if own.numpy_as == STANDS_IN["tensorflow"]:
        backend.stand_in()
    given = [decode(d, b) for d, b in zip(request["arrays"], payloads)]
    arrays = [backend.array(values, dtype) for values, dtype in given]
    position = request["wrt"]
    function = own.evaluate(request["callable"])
    if isinstance(function, type):
        function = function()

    def call(leaf):
        here = list(arrays)
        here[position] = leaf
        positional = [value_of(a, here, own) for a in request["positional"]]
        keywords = {k: value_of(a, here, own) for k, a in request["keywords"].items()}
        with standing_in_for_numpy(own.numpy_as, own.folder):
            return function(*positional, **keywords)

    progress("differentiating")
    began = time.perf_counter()
    loss, gradient, dtype, note = backend.gradient(call, arrays[position])
    seconds = time.perf_counter() - began
    library, version, device = backend.about()
    numpy = need("numpy")
    header = {
        "library": library,
        "version": version,
        "device": device,
        "dtype": dtype,
        "python": sys.version.split()[0],
        "seconds": seconds,
        "note": note,
    }
    return header, [numpy.asarray(loss), numpy.ascontiguousarray(gradient)]


def value_of(argument, arrays, own):
    kind = argument["kind"]
    if kind == "array":
        return arrays[argument["index"]]
    if kind == "python":
        return own.evaluate(argument["text"])
    items = [value_of(a, arrays, own) for a in argument["items"]]
    if kind == "dict":
        return dict(zip((own.evaluate(k) for k in argument["keys"]), items))
    return tuple(items) if kind == "tuple" else items


def failure(error):
    """The error as Python would show it, without this server's own frames."""
    if isinstance(error, Refused):
        return {"error": str(error), "traceback": None}
    tb = error.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename == __file__:
        tb = tb.tb_next
    lines = traceback.format_exception(type(error), error, tb)
    return {"error": f"{type(error).__name__}: {error}", "traceback": "".join(lines)}


def read_requests(stream, requests):
    """Hands requests over one by one; whoever asked is gone when the stream ends, and so is this."""
    try:
        while True:
            requests.put(read_frame(stream))
    except BaseException:
        os._exit(0)


def main():
    answers = os.fdopen(os.dup(1), "wb")
    # What the user's code prints must not run into the frames.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    requests = queue.SimpleQueue()
    # A thread reads, so that code which never ends does not outlive the inspector.
    reader = threading.Thread(target=read_requests, args=(sys.stdin.buffer, requests), daemon=True)
    reader.start()
    write_frame(answers, {"kind": "ready", "python": sys.version.split()[0]})
    while True:
        try:
            request, payloads = requests.get()
        except KeyboardInterrupt:
            continue  # meant for a run that has just ended

        def answer(kind, header, arrays=()):
            write_frame(answers, {"kind": kind, "id": request["id"], **header}, arrays)

        try:
            answer("result", *run(request, payloads, lambda what: answer("progress", {"what": what})))
        except KeyboardInterrupt:
            answer("failure", {"error": "interrupted", "traceback": None})
        except BaseException as error:  # SystemExit of the user's code included
            sys.stderr.flush()
            answer("failure", failure(error))


if __name__ == "__main__":
    main()
