# What the form of an expression shows to be wrong: functions that there are not, loops in loops in loops.
runbook "r" {
  phase "p" {
    assert "unknown-function" {
      condition = uper("a") == "A" # want CON-E014 "there is no function uper" at "uper"
    }
    assert "clock" {
      condition = timestamp() != "" # want CON-E014 "there is no function timestamp"
    }
    assert "environment" {
      condition = env("HOME") != "" # want CON-E014 "there is no function env"
    }
    assert "random" {
      condition = uuid() != "" # want CON-E014 "there is no function uuid"
    }
    assert "three-loops" {
      condition = [for a in [1] : [for b in [1] : [for c in [1] : c]]] != [] # want CON-E015 "nested too deeply"
    }
    assert "root" {
      condition = check != "" # want CON-E004
    }
    assert "unknown-root" {
      condition = HOME != "" # want CON-E002
    }
    assert "computed" {
      condition = step["a${run.id}"].ok # want CON-E005
    }
  }
}
