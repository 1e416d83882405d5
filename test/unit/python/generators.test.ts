import { printAsPython, stopAt } from "./programs.ts";

describe("Generators", () => {
  printAsPython([
    [
      "hand out what they yield, one item at a time",
      `
      def numbers(n):
          for k in range(n):
              print('made', k)
              yield k * k
      for x in numbers(2):
          print('used', x)
      `,
      `
      made 0
      used 0
      made 1
      used 1
      `,
    ],
    [
      "run nothing before the first item is asked for, and may never end",
      `
      def counter():
          print('started')
          n = 0
          while True:
              yield n
              n += 1
      c = counter()
      print('made')
      print(next(c), next(c), [x for x, _ in zip(c, 'ab')])
      `,
      `
      made
      started
      0 1 [2, 3]
      `,
    ],
    [
      "see what their user changes between two items",
      `
      class Scaled:
          factor = 1
          def items(self):
              for k in range(3):
                  yield k * self.factor
      s = Scaled()
      for x in s.items():
          print(x)
          s.factor = 10
      `,
      `
      0
      10
      20
      `,
    ],
    [
      "yield from others and take what those return",
      `
      def inner():
          yield 1
          return 'end'
      def outer():
          last = yield from inner()
          yield last
          yield from [2, 3]
      print(list(outer()))
      `,
      "[1, 'end', 2, 3]",
    ],
    [
      "work in the branches of if, try, with and match",
      `
      from contextlib import nullcontext
      def all_of(x):
          if x > 0:
              yield 'positive'
          with nullcontext(5) as n:
              yield n
          match x:
              case 1:
                  yield 'one'
          try:
              yield 'tried'
              1 / 0
          except ZeroDivisionError:
              yield 'caught'
          finally:
              yield 'last'
      print(*all_of(1))
      `,
      "positive 5 one tried caught last",
    ],
    [
      "end for good",
      `
      g = (k for k in range(2))
      print(list(g), list(g), next(g, 'none'))
      `,
      "[0, 1] [] none",
    ],
    [
      "look up names when an item is asked for, as generator expressions do",
      `
      scale = 1
      g = (scale * k for k in [1, 2])
      print(next(g))
      scale = 10
      print(next(g))
      `,
      `
      1
      20
      `,
    ],
    [
      "serve as __iter__, beside objects with __next__ and __getitem__",
      `
      class Tree:
          def __init__(self, *children):
              self.children = children
          def __iter__(self):
              yield 'node'
              for c in self.children:
                  yield from c
      class Down:
          def __init__(self, n):
              self.n = n
          def __iter__(self):
              return self
          def __next__(self):
              if self.n == 0:
                  raise StopIteration
              self.n -= 1
              return self.n
      class Squares:
          def __getitem__(self, k):
              if k > 2:
                  raise IndexError(k)
              return k * k
      print(list(Tree(Tree(), Tree())), list(Down(3)), list(Squares()), next(Down(1)))
      `,
      "['node', 'node', 'node'] [2, 1, 0] [0, 1, 4] 0",
    ],
  ]);

  stopAt([
    [
      "do not take a yield inside of a larger expression",
      `
      def f():
          x = 1 + (yield 2)
      list(f())
      `,
      /`yield` inside of a larger expression is not supported/,
      2,
    ],
    ["have no yield outside of functions", "yield 1", /SyntaxError: 'yield' outside function/, 1],
    [
      "are stopped where an endless one is run through",
      `
      def forever():
          while True:
              yield 1
      sum(forever())
      `,
      /stopped after .* steps/,
      3,
    ],
  ]);
});
