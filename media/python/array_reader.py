"""Hands the numbers of one array in a running Python program to the Dice Gradient Inspector.

The inspector evaluates this text in a paused debugger's frame or in a Jupyter kernel, in a module of
its own, and removes the module when it has the numbers: nothing is left in the program. Only
libraries that the program has imported already are used; nothing is recorded for differentiation,
and no function of the user's is called.

    describe(value)     what the array is, or why it has no numbers to hand over
    take()              fixes the elements, row-major and little-endian: their count and checksum
    read(start, stop)   some of their bytes, in base64
    survey(values)      what each of several variables is, for choosing one
"""

import base64
import contextlib
import json
import struct
import sys
import zlib

# The array in hand, and the bytes that its numbers are.
held = None
elements = None


class Refused(Exception):
    """What is asked for has no numbers to hand over: the rest of a sentence that begins with its name.

    `instead` is an expression that has them, where {x} stands for the one asked for.
    """

    def __init__(self, message, instead=None):
        super().__init__(message)
        self.instead = instead


def answer(facts):
    """JSON that survives any way of printing a string."""
    return "dice-gradient:" + base64.b64encode(json.dumps(facts).encode()).decode()


def describe(value):
    global held
    try:
        held = opened(value)
        return answer(held.facts())
    except Exception as problem:
        return answer(refusal(problem))


def take():
    global elements
    try:
        elements = held.bytes()
        return answer({"kind": "taken", "bytes": len(elements), "checksum": zlib.crc32(elements)})
    except Exception as problem:
        return answer(refusal(problem))


def read(start, stop):
    return base64.b64encode(elements[start:stop]).decode()


def survey(values):
    found = {}
    for name, value in values.items():
        try:
            found[name] = opened(value).facts()
        except Exception:
            # It is not on offer; whoever asks for it by name is told why.
            pass
    return answer(found)


def refusal(problem):
    if isinstance(problem, Refused):
        return {"kind": "refused", "message": str(problem), "instead": problem.instead}
    words = type(problem).__name__ + (": " + str(problem) if str(problem) else "")
    return {"kind": "refused", "message": "cannot be read: " + words, "instead": None}


# Which array it is


DTYPES = {
    **{name: int(bits) // 8 for bits in (8, 16, 32, 64) for name in (f"int{bits}", f"uint{bits}")},
    **{"bool": 1, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8},
    **{"complex64": 8, "complex128": 16},
}


class Held:
    """An array of one library. Its elements are taken later, by `contiguous`."""

    def __init__(self, library, value, dtype, shape, contiguous, device=None, grad=False, narrow=None):
        if dtype not in DTYPES:
            is_number = dtype.startswith(("float", "complex", "int", "uint"))
            raise Refused(f"holds {dtype}, which cannot be read", narrow if is_number else None)
        self.library = library
        self.type = type(value).__module__ + "." + type(value).__qualname__
        self.dtype = dtype
        self.shape = [int(n) for n in shape]
        self.device = device
        self.grad = grad
        self.contiguous = contiguous

    def facts(self):
        count = DTYPES[self.dtype]
        for n in self.shape:
            count *= n
        return {
            "kind": "array",
            "library": self.library,
            "type": self.type,
            "dtype": self.dtype,
            "shape": self.shape,
            "bytes": count,
            "device": self.device,
            "grad": self.grad,
        }

    def bytes(self):
        return memoryview(self.contiguous())


def opened(value):
    """The array that a value is, or holds. Raises Refused."""
    value = unwrapped(value)
    kinds = {(c.__module__.partition(".")[0], c.__name__) for c in type(value).__mro__}
    libraries = {library for library, _ in kinds}
    names = {name for _, name in kinds}
    if ("torch", "Tensor") in kinds:
        return of_torch(value)
    if "tensorflow" in libraries:
        return of_tensorflow(value, names)
    if "jaxlib" in libraries or "jax" in libraries:
        return of_jax(value, names)
    if ("numpy", "ndarray") in kinds or ("numpy", "generic") in kinds:
        return of_numpy(value)
    if "builtins" in libraries and names & {"bool", "int", "float", "list", "tuple"}:
        return of_numbers(value)
    raise other(value, libraries, names)


def unwrapped(value):
    """The array inside what a library differentiates with, or a layer keeps its weights in."""
    for _ in range(32):
        kinds = {(c.__module__.partition(".")[0], c.__name__) for c in type(value).__mro__}
        if ("autograd", "Box") in kinds:
            value = value._value
        elif ("keras", "Variable") in kinds:
            value = value.value
        elif ("jax", "Tracer") in kinds:
            concrete = getattr(value, "to_concrete_value", lambda: None)()
            if concrete is None:
                raise Refused(
                    "is being traced by JAX (jit or vmap) and has no numbers yet; call the function "
                    "without jax.jit and jax.vmap, or below jax.disable_jit(), and pause there"
                )
            value = concrete
        else:
            return value
    return value


def other(value, libraries, names):
    kind = type(value).__name__
    if value is None:
        return Refused("is None")
    if "KerasTensor" in names:
        return Refused("is a symbolic tensor of Keras, without numbers")
    if libraries & {"pandas", "polars"}:
        return Refused(f"is a {kind}, not an array", "{x}.to_numpy()")
    if "xarray" in libraries:
        return Refused(f"is an xarray {kind}, not an array", "{x}.values")
    if "scipy" in libraries and hasattr(value, "toarray"):
        return Refused("is a sparse matrix", "{x}.toarray()")
    if "cupy" in libraries:
        return Refused("is an array of CuPy", "{x}.get()")
    instead = "__import__('numpy').asarray({x})" if hasattr(type(value), "__array__") else None
    return Refused(f"is a {kind}, not an array of NumPy, PyTorch, TensorFlow or JAX", instead)


# NumPy


def of_numpy(value):
    np = sys.modules["numpy"]
    if isinstance(value, np.ma.MaskedArray):
        hidden = int(np.count_nonzero(np.ma.getmaskarray(value)))
        if hidden:
            raise Refused(f"has {hidden} masked elements, which have no value", "{x}.filled(0)")
        value = value.data
    array = np.asarray(value)
    return Held("numpy", value, numpy_dtype(np, array), array.shape, lambda: row_major(np, array))


def numpy_dtype(np, array):
    dtype = array.dtype
    if dtype.names is not None:
        fields = ", ".join(dtype.names)
        raise Refused(f"holds records with the fields {fields}", "{x}[" + repr(dtype.names[0]) + "]")
    if dtype.kind == "O":
        raise Refused("holds Python objects, not numbers", "{x}.astype('float64')")
    if dtype.kind in "US":
        raise Refused("holds text, not numbers")
    if dtype.kind in "Mm":
        raise Refused("holds dates or durations, not numbers")
    if dtype.kind in "fc" and dtype.name not in DTYPES:
        wide = "complex128" if dtype.kind == "c" else "float64"
        raise Refused(f"holds {dtype.name}, which cannot be read", "{x}.astype('" + wide + "')")
    if dtype.kind == "V" and dtype.name != "bfloat16":
        # What ml_dtypes adds: float8, int4 and their like.
        raise Refused(f"holds {dtype.name}, which cannot be read", "{x}.astype('float32')")
    return dtype.name


def row_major(np, array):
    if array.dtype.name != "bfloat16":
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


# PyTorch


def of_torch(tensor):
    torch = sys.modules["torch"]
    transforms = getattr(torch._C, "_functorch", None)
    wrapped = transforms is not None and transforms.is_functorch_wrapped_tensor(tensor)
    plain = torch_unwrapped(transforms, tensor) if wrapped else tensor
    with torch_plainly(torch, wrapped):
        if plain.layout != torch.strided:
            raise Refused(f"is sparse ({str(plain.layout)[6:]})", "{x}.to_dense()")
        if plain.is_nested:
            instead = "__import__('torch').nested.to_padded_tensor({x}, 0.0)"
            raise Refused("is a nested tensor, of parts of different shapes", instead)
        if plain.is_quantized:
            raise Refused(f"is quantized ({str(plain.dtype)[6:]})", "{x}.dequantize()")
        if plain.is_meta or "FakeTensor" in {c.__name__ for c in type(plain).__mro__}:
            raise Refused("has a shape but no numbers: it is a meta or fake tensor")
        if hasattr(plain, "full_tensor"):
            raise Refused("is spread over several processes", "{x}.full_tensor()")
        follows = plain.is_leaf or plain.retains_grad
        return Held(
            "torch",
            tensor,
            str(plain.dtype)[6:],
            plain.shape,
            lambda: torch_row_major(torch, plain, wrapped),
            device=str(plain.device),
            # Asking any other tensor for its gradient makes PyTorch warn the user.
            grad=not wrapped and follows and plain.grad is not None,
            narrow="{x}.to(__import__('torch').float32)",
        )


def torch_unwrapped(transforms, tensor):
    while transforms.is_functorch_wrapped_tensor(tensor):
        if not transforms.is_gradtrackingtensor(tensor):
            raise Refused("is one of a batch inside torch.vmap, and has no numbers of its own")
        tensor = transforms.get_unwrapped(tensor)
    return tensor


@contextlib.contextmanager
def torch_plainly(torch, wrapped):
    """Nothing recorded, no subclass of the user's asked, and no transform of torch.func in between."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        without = getattr(torch._C, "DisableTorchFunctionSubclass", None)
        if without is not None:
            stack.enter_context(without())
        if wrapped:
            from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

            stack.enter_context(temporarily_clear_interpreter_stack())
        yield


def torch_row_major(torch, tensor, wrapped):
    with torch_plainly(torch, wrapped):
        plain = tensor.detach().to("cpu").resolve_conj().resolve_neg().contiguous()
        return plain.reshape(-1).view(torch.uint8).numpy()


# TensorFlow


def of_tensorflow(tensor, names):
    tf = sys.modules["tensorflow"]
    if "SparseTensor" in names:
        raise Refused("is a sparse tensor", "__import__('tensorflow').sparse.to_dense({x})")
    if "RaggedTensor" in names:
        raise Refused("is a ragged tensor, of rows of different lengths", "{x}.to_tensor()")
    if "IndexedSlices" in names:
        instead = "__import__('tensorflow').convert_to_tensor({x})"
        raise Refused("holds slices of a tensor (tf.IndexedSlices)", instead)
    if not {"EagerTensor", "BaseResourceVariable"} & names:
        if "SymbolicTensor" in names or "Tensor" in names:
            raise Refused(
                "is a tensor of a graph and has no numbers; pause where TensorFlow runs eagerly: "
                "tf.config.run_functions_eagerly(True) before the call"
            )
        raise Refused(f"is a {type(tensor).__name__}, not an array")

    def row_major_tensorflow():
        # Outside of gradient tapes: reading a variable below one would make the tape watch it.
        with tf.init_scope():
            np = sys.modules["numpy"]
            return row_major(np, np.asarray(tensor.numpy()))

    return Held(
        "tensorflow",
        tensor,
        tensor.dtype.name,
        tensor.shape,
        row_major_tensorflow,
        device=tensor.device.rpartition("device:")[2] or None,
        narrow="__import__('tensorflow').cast({x}, 'float32')",
    )


# JAX


def of_jax(array, names):
    np = sys.modules["numpy"]
    if "PRNGKeyArray" in names:
        raise Refused("holds random keys, not numbers", "__import__('jax').random.key_data({x})")
    if "ArrayImpl" not in names:
        dense = "{x}.todense()" if hasattr(type(array), "todense") else None
        raise Refused(f"is a {type(array).__name__}, not an array", dense)
    if array.is_deleted():
        raise Refused("was deleted: its memory was given away (donated) to a later call")
    if not array.is_fully_addressable:
        raise Refused("is spread over several processes; gather it on this one first")
    return Held(
        "jax",
        array,
        array.dtype.name,
        array.shape,
        lambda: row_major(np, np.asarray(array)),
        device=", ".join(sorted(str(d) for d in array.devices())),
        narrow="{x}.astype('float32')",
    )


# Numbers in lists


MOST_NUMBERS = 1000000


def of_numbers(value):
    """A number, or a list of lists of them, as NumPy would read it."""
    shape, numbers = [], [value]
    while numbers and isinstance(numbers[0], (list, tuple)):
        size = len(numbers[0])
        if any(not isinstance(n, (list, tuple)) or len(n) != size for n in numbers):
            raise Refused("is a list whose rows have different lengths")
        if size * len(numbers) > MOST_NUMBERS:
            raise Refused("is a list of very many numbers", "__import__('numpy').asarray({x})")
        shape.append(size)
        numbers = [n for row in numbers for n in row]
    types = {type(n) for n in numbers}
    if not types <= {bool, int, float}:
        strange = next(t.__name__ for t in types if t not in (bool, int, float))
        raise Refused(f"is a {type(value).__name__} that holds {strange}; pick one of its elements")
    dtype, code = "float64", "d"
    if types == {bool}:
        dtype, code = "bool", "?"
    elif types and float not in types:
        dtype, code = "int64", "q"
    return Held(
        "numpy", value, dtype, shape, lambda: struct.pack(f"<{len(numbers)}{code}", *numbers)
    )
