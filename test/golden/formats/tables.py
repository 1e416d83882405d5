"""Text tables, by NumPy and by pandas' rules (pandas itself writes nothing that is not here)."""

import numpy as np

from .common import OUT, expect, refuse

RNG = np.random.default_rng(0)


def add(name, **options):
    expect(name, np.loadtxt(OUT / name, **options))


def text(name, content, encoding="utf-8"):
    (OUT / name).write_bytes(content.encode(encoding))


def make():
    table = np.array([[0.1, -0.0, 1e-300], [np.nan, np.inf, -np.inf], [1 / 3, 2**60, 5e-324]])
    for suffix, delimiter in [("csv", ","), ("tsv", "\t"), ("txt", " ")]:
        name = f"table-numpy.{suffix}"
        np.savetxt(OUT / name, table, delimiter=delimiter, header="three by three")
        add(name, delimiter=delimiter if delimiter != " " else None)
    mask = RNG.integers(0, 2, (3, 5))
    np.savetxt(OUT / "table-mask.csv", mask, fmt="%d", delimiter=",")
    add("table-mask.csv", delimiter=",")
    np.savetxt(OUT / "table-column.txt", mask[0], fmt="%d")
    add("table-column.txt")
    np.savetxt(OUT / "table-row.csv", mask[:1], fmt="%d", delimiter=";", newline="\r\n")
    add("table-row.csv", delimiter=";")
    text("table-one.txt", "0.25")
    add("table-one.txt")
    text("table-counted.csv", "0,1,2,3\n4,5,6,7\n")
    add("table-counted.csv", delimiter=",")
    text("table-blanks.txt", "\n  1   2 # a comment\n\n# another\n\t3\t 4\t\n".replace("\t", "  "))
    add("table-blanks.txt")
    text("table-mac.csv", "1,2\r3,4\r")
    add("table-mac.csv", delimiter=",")
    text("table-words.csv", "True,FALSE\nfalse,true\n")
    expect("table-words.csv", np.array([[1.0, 0], [0, 1]]))

    # A table as pandas writes it, with its index, and as a spreadsheet does.
    text("table-pandas.csv", "case,pred,target,note\na,0.5,1,good\nb,0.25,0,\n")
    expect("table-pandas.csv", np.array([0.5, 0.25]), member="pred")
    expect("table-pandas.csv", np.array([1.0, 0]), member="target")
    refuse("table-pandas.csv", "4 arrays", "case, pred, target, note")
    refuse("table-pandas.csv", ':2:1', '"a" is not a number', member="case")
    refuse("table-pandas.csv", ":2:9", '"good" is not a number', member="note")
    text("table-index.csv", ",0,1\n0,0.5,1\n1,0.25,0\n")
    for column, values in [("0", [0.5, 0.25]), ("1", [1.0, 0]), ("Unnamed: 0", [0.0, 1])]:
        expect("table-index.csv", np.array(values), member=column)
    text("table-quotes.csv", '\ufeff"the ""best"", pred";"pred";"pred"\n"0.5"; 1 ;2\n', "utf-8")
    expect("table-quotes.csv", np.array([0.5]), member='the "best", pred')
    expect("table-quotes.csv", np.array([1.0]), member="pred")
    expect("table-quotes.csv", np.array([2.0]), member="pred.1")

    def wrong(name, content, *words, member=None, encoding="utf-8"):
        text(name, content, encoding)
        refuse(name, *words, member=member)

    wrong("table-word.csv", "1,2\n3,x4\n", ":2:3", '"x4" is not a number')
    wrong("table-first.csv", "1,x\n3,4\n", ":1:3", '"x" is not a number')
    wrong("table-missing.csv", "1,2\n3,\n", ":2:3", "empty", "nan")
    wrong("table-short.csv", "1,2,3\n4,5\n", ":2:4", "2 cells", "3 cells")
    wrong("table-long.csv", "1,2\n4,5,6\n", ":2:5", "3 cells", "2 cells")
    wrong("table-comma.csv", "0,5;1,5\n2,5;3,5\n", ":1:1", '"0,5"', "with a point")
    wrong("table-header.csv", "pred,target\n", "no numbers under it")
    wrong("table-empty.txt", "# nothing\n\n", "no numbers in it")
    wrong("table-pandas-header.csv", "0,1,2,3\n1,0,1,0\n", ":1:", "pandas", "header=False")
    wrong("table-utf16.csv", "\ufeff1,2\n", "UTF-16", encoding="utf-16-le")
    wrong("table-binary.txt", "1,2\0", "zero bytes")
