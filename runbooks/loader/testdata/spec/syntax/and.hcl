runbook "r" {
  phase "p" {
    assert "a" {
      condition = true & false # want CON-S001
    }
  }
}
