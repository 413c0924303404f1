# An outcome is compared with outcomes only: a misspelt one would never be.
host "web1.example.org" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    hosts = host["web1.example.org"]
    step "a" { argv = ["true"] }
    wait "b" {
      duration = "1s"
      when     = step.a.outcome == "suceeded" # want CON-T010 "is no outcome"
    }
    wait "c" {
      duration = "1s"
      when     = step.a.by_host["web1.example.org"].outcome != "timed out" # want CON-T010 "is no outcome"
    }
    wait "d" {
      duration = "1s"
      when     = step.a.outcome == "succeeded" || step.a.outcome == "timed-out"
    }
  }
}
