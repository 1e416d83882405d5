class Configured:
    _backend = None

    def __init__(self, name=None):
        if self.backend is None:
            raise RuntimeError("scorekit has no backend yet")
        self._name = name

    @property
    def __name__(self):
        return self.__class__.__name__ if self._name is None else self._name

    @classmethod
    def configure(cls, backend):
        cls._backend = backend

    @property
    def backend(self):
        return self._backend

    @property
    def submodules(self):
        return {"backend": self.backend}


class Loss(Configured):
    def __add__(self, other):
        if not isinstance(other, Loss):
            raise ValueError("only losses can be added to a loss")
        return Total(self, other)

    def __rmul__(self, factor):
        return Scaled(self, factor)


class Scaled(Loss):
    def __init__(self, loss, factor):
        super().__init__(name="{}*{}".format(factor, loss.__name__))
        self.loss = loss
        self.factor = factor

    def __call__(self, gt, pr):
        return self.factor * self.loss(gt, pr)


class Total(Loss):
    def __init__(self, first, second):
        super().__init__(name="{}_and_{}".format(first.__name__, second.__name__))
        self.first = first
        self.second = second

    def __call__(self, gt, pr):
        return self.first(gt, pr) + self.second(gt, pr)
