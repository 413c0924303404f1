# A phase gives defaults to its items; what an item says wins, env is merged, become = "" is the login user.
host "db" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    hosts       = host.db
    become      = "postgres"
    env         = { PGPORT = "5432", PGUSER = "postgres" }
    working_dir = "/srv"
    timeout     = "2m"
    step "a" {
      argv = ["true"]
      env  = { PGUSER = "admin" }
    }
    step "b" {
      hosts       = control
      become      = ""
      working_dir = "/"
      timeout     = "1m"
      argv        = ["true"]
    }
    check "port" {
      tcp {
        address = "10.0.0.1:5432"
      }
    }
  }
}
