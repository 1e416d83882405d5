import { printAsPython, stopAt } from "./programs.ts";

const PAIR = `
class A:
    def __sub__(self, other): return NotImplemented
    def __eq__(self, other): return NotImplemented
class B:
    def __rsub__(self, other): return 'from the right'
`;

describe("NotImplemented", () => {
  printAsPython([
    [
      "leaves an operation to the other side, and equality to identity",
      `${PAIR}a = A()\nprint(A() - B(), A() == A(), a == a, a != A())`,
      "from the right False True True",
    ],
  ]);
  stopAt([
    [
      "from both sides is a TypeError",
      `${PAIR}A() - 1`,
      /unsupported operand type\(s\) for -: 'A' and 'int'/,
      6,
    ],
  ]);
});
