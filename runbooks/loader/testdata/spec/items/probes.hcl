# tcp from the control host or from hosts, with a witness; http from the control host.
secret "token" {
  env = "TOKEN"
}

host "a" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    hosts = host.a
    check "open" {
      tcp {
        address = "10.0.0.1:5432"
        want    = "open"
      }
    }
    check "dark" {
      severity = "finding"
      tcp {
        address = "[2001:db8::1]:443"
        from    = host.a
        want    = "closed"
        witness = "${host.a.address}:22"
      }
      expect {
        condition = result.state != "open"
      }
    }
    check "web" {
      http {
        url         = "https://app.example.org/health"
        method      = "HEAD"
        headers     = { Authorization = secret.token, X-Trace = "1" }
        want_status = [200, 204]
      }
      expect {
        condition = result.status == 200
      }
    }
  }
}
