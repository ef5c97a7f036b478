using System.Diagnostics.CodeAnalysis;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Ssh;

/// <summary>A machine of our own with a real sshd, and the key that opens it. Each test gets one.</summary>
public abstract class OnAMachine : IAsyncLifetime
{
    private static int _ports = 16500;
    private readonly string _home = Directory.CreateTempSubdirectory("dashboard-home-").FullName;

    [NotNull] protected OpenSshServer? Machine { get; private set; }

    protected InstanceKeyPair Key { get; } = InstanceKeys.Create("test");

    protected SshOptions Options { get; } = new() { Connect = TimeSpan.FromSeconds(5), Silence = TimeSpan.FromSeconds(5) };

    protected SshConnector Connector => field ??= new SshConnector(Options, TimeProvider.System);

    protected BulkTransfer Transfer => field ??= new BulkTransfer(Options);

    protected SshRoute Route => new(Machine.Host, Machine.Port);

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A folder on our side.</summary>
    protected string Home => _home;

    protected string OnDisk(string name) => Path.Combine(Machine.Disk, name);

    protected Task<SshSession> OpenAsync(string? pin = null) => Connector.OpenAsync(Route, Key.PrivateKey, pin, Ct);

    public async ValueTask InitializeAsync() => Machine = await OpenSshServer.StartAsync(Interlocked.Increment(ref _ports), Key.PublicKey, Ct);

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        Connector.Dispose();
        Directory.Delete(_home, recursive: true);
        GC.SuppressFinalize(this);
    }
}
