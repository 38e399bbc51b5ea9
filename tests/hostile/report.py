"""Lines of a run, and its totals."""


class Report:
    shown = 12  # complaints of one group

    def __init__(self):
        self.passed = self.failed = self.calls = self.legal = self.explicit = 0
        self.triples = set()

    def check(self, title, wrong, note=""):
        print(f"{'not ok' if wrong else 'ok'}  {title}{note}", flush=True)
        for complaint in wrong[:self.shown]:
            print(f"  {complaint}")
        if len(wrong) > self.shown:
            print(f"  and {len(wrong) - self.shown} more")
        self.failed += bool(wrong)
        self.passed += not wrong

    def group(self, title, refused, legal, rules, wrong):
        self.calls += refused + legal + len(wrong)
        self.legal += legal
        allowed = f", {legal} legal" if legal else ""
        self.check(title, wrong, f": {refused} refused{allowed}, {rules} rules")

    def summary(self):
        print(f"{self.calls} calls, {self.legal} of them legal and so declared; {len(self.triples)} rules, "
              f"{self.explicit} of them by hand with their SQLSTATE")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
