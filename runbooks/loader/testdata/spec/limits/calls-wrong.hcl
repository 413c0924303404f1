# Calls that double with each runbook.
runbook "level-0" { # want CON-G011 "items"
  phase "work" {
    call "one" { runbook = runbook.level-1 }
    call "two" { runbook = runbook.level-1 }
  }
}

runbook "level-1" {
  phase "work" {
    call "one" { runbook = runbook.level-2 }
    call "two" { runbook = runbook.level-2 }
  }
}

runbook "level-2" {
  phase "work" {
    call "one" { runbook = runbook.level-3 }
    call "two" { runbook = runbook.level-3 }
  }
}

runbook "level-3" {
  phase "work" {
    call "one" { runbook = runbook.level-4 }
    call "two" { runbook = runbook.level-4 }
  }
}

runbook "level-4" {
  phase "work" {
    call "one" { runbook = runbook.level-5 }
    call "two" { runbook = runbook.level-5 }
  }
}

runbook "level-5" {
  phase "work" {
    call "one" { runbook = runbook.level-6 }
    call "two" { runbook = runbook.level-6 }
  }
}

runbook "level-6" {
  phase "work" {
    call "one" { runbook = runbook.level-7 }
    call "two" { runbook = runbook.level-7 }
  }
}

runbook "level-7" {
  phase "work" {
    call "one" { runbook = runbook.level-8 }
    call "two" { runbook = runbook.level-8 }
  }
}

runbook "level-8" {
  phase "work" {
    call "one" { runbook = runbook.level-9 }
    call "two" { runbook = runbook.level-9 }
  }
}

runbook "level-9" {
  phase "work" {
    call "one" { runbook = runbook.level-10 }
    call "two" { runbook = runbook.level-10 }
  }
}

runbook "level-10" {
  phase "work" {
    call "one" { runbook = runbook.level-11 }
    call "two" { runbook = runbook.level-11 }
  }
}

runbook "level-11" {
  phase "work" {
    call "one" { runbook = runbook.level-12 }
    call "two" { runbook = runbook.level-12 }
  }
}

runbook "level-12" {
  phase "work" {
    call "one" { runbook = runbook.level-13 }
    call "two" { runbook = runbook.level-13 }
  }
}

runbook "level-13" {
  phase "work" {
    call "one" { runbook = runbook.level-14 }
    call "two" { runbook = runbook.level-14 }
  }
}

runbook "level-14" {
  phase "work" {
    call "one" { runbook = runbook.level-15 }
    call "two" { runbook = runbook.level-15 }
  }
}

runbook "level-15" {
  phase "work" {
    call "one" { runbook = runbook.level-16 }
    call "two" { runbook = runbook.level-16 }
  }
}

runbook "level-16" {
  phase "work" {
    call "one" { runbook = runbook.level-17 }
    call "two" { runbook = runbook.level-17 }
  }
}

runbook "level-17" {
  phase "work" {
    wait "a" { duration = "1s" }
  }
}
