namespace Dashboard.Infrastructure.Ssh;

/// <summary>One address at which a machine's SSH server may be reached; a provider may offer several for one machine.</summary>
public readonly record struct SshRoute(string Host, int Port)
{
    public override string ToString() => $"{Host}:{Port}";
}
