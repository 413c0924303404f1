# A file of the project, text, or a file of another host.
host "a" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    hosts = host.a
    transfer "text" {
      content     = "state=${run.id}"
      destination = "/etc/app/state"
      mode        = "0640"
      owner_user  = "app"
      owner_group = "app"
      backup      = false
    }
    transfer "copy" {
      from {
        host   = control
        path   = "/srv/backup.tar"
        sha256 = "0f"
      }
      destination = "/srv/${self.name}.tar"
      expect {
        condition = result.changed && result.sha256 != ""
      }
    }
    assert "copied" {
      condition = transfer.copy.changed
    }
  }
}
