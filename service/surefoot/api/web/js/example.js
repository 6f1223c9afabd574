// Something to look at with one click: a word problem, two right solutions and three that go wrong.

export const EXAMPLE = {
  mode: "paste",
  problem: "Tom has 3 boxes with 12 pens each. He gives away 7. How many pens are left?",
  solutions: [
    "3 * 12 = 36 pens.\n36 - 7 = 29 pens are left.\nThe answer is $\\boxed{29}$.",
    "3 * 12 = 36 pens.\n36 - 7 = 31 pens are left.\nThe answer is 31.",
    "3 + 12 = 15 pens.\n15 - 7 = 8 pens are left.\nThe answer is 8.",
    "There are $3 \\times 12 = 36$ pens.\nSo $36 - 7 = 29$ are left.\nThe answer is 29.",
    "12 / 3 = 4 pens.\n4 + 7 = 11 pens are left.\nThe answer is 11.",
  ],
};
