import { printAsPython, stopAt } from "./programs.ts";

describe("The match statement", () => {
  printAsPython([
    [
      "compares literals, by identity where Python does",
      `
      def kind(x):
          match x:
              case None: return 'none'
              case True: return 'yes'
              case 0 | 1: return 'bit'
              case -5: return 'minus five'
              case 'mean' | 'sum': return 'reduction'
              case _: return 'other'
      print([kind(x) for x in (None, True, 0, 1, -5, 'sum', 'none')])
      `,
      "['none', 'yes', 'bit', 'bit', 'minus five', 'reduction', 'other']",
    ],
    [
      "takes sequences apart, but no strings",
      `
      def parts(x):
          match x:
              case []: return 'empty'
              case [a]: return a
              case (a, (b, c)): return a + b + c
              case [first, *_, last]: return first, last
              case first, *rest: return first, rest
              case _: return 'no sequence'
      print(parts([]), parts((1,)), parts([1, (2, 3)]), parts([1, 2, 3]), parts('ab'), parts({1}))
      `,
      "empty 1 6 (1, 3) no sequence no sequence",
    ],
    [
      "takes dictionaries apart",
      `
      match {'kind': 'dice', 'smooth': 1.0, 'axis': 1}:
          case {'kind': 'iou'}:
              print('iou')
          case {'kind': 'dice' | 'tversky' as kind, 'smooth': s, **rest}:
              print(kind, s, rest)
      `,
      "dice 1.0 {'axis': 1}",
    ],
    [
      "looks into classes by keyword and by __match_args__",
      `
      from dataclasses import dataclass
      class Point:
          __match_args__ = ('x', 'y')
          def __init__(self, x, y):
              self.x, self.y = x, y
      @dataclass
      class Loss:
          name: str
          weight: float = 1.0
      def show(v):
          match v:
              case Point(0, y=b): return ('on the axis', b)
              case Point(a, b): return (a, b)
              case Loss(n, weight=0.5): return n
              case Loss(name=n): return 'full ' + n
              case int(n) if n > 10: return 'large'
              case str() as s: return s
      print(show(Point(0, 1)), show(Point(2, 3)), show(Loss('a', 0.5)), show(Loss('b')))
      print(show(11), show(5), show('s'))
      `,
      `
      ('on the axis', 1) (2, 3) a full b
      large None s
      `,
    ],
    [
      "compares dotted names by value and binds plain ones",
      `
      from enum import Enum
      class Mode(Enum):
          HARD = 1
          SOFT = 2
      def f(m):
          match m:
              case Mode.HARD: return 'hard'
              case other: return other.name
      print(f(Mode.HARD), f(Mode.SOFT))
      `,
      "hard SOFT",
    ],
    [
      "goes on after a guard that says no, and does nothing when no case fits",
      `
      match (3, 4):
          case (a, b) if a > b: print('larger')
          case (a, b) if a < b: print('smaller', a, b)
      match 5:
          case 6: print('six')
      print('done')
      `,
      `
      smaller 3 4
      done
      `,
    ],
  ]);
  stopAt([
    [
      "refuses more positional patterns than the class names",
      `
      class P: pass
      match P():
          case P(1): pass
      `,
      /TypeError: P\(\) accepts 0 positional sub-patterns \(1 given\)/,
      3,
    ],
  ]);
});
