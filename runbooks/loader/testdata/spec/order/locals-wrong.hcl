locals {
  a = local.b # want CON-R021 "local.a → local.b → local.a"
  b = local.a
}

runbook "r" {
  locals {
    c   = 1
    Dee = 2 # want CON-S020 "is not a name"
  }
  locals {
    c = 3 # want CON-S040 "is declared twice"
  }
  phase "one" {
    assert "a" {
      condition = local.see == 1 # want CON-R003 "there is no local" at "see"
    }
  }
}
