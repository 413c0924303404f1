runbook "r" {
  phase "one" {
    assert "a" {
      condition = length(tolist(["a", null])[*][*]) == 2 # want CON-E016 "one [*] after another"
    }
  }
}
