using Dashboard.Domain.Marketplaces;

namespace Dashboard.Web.SandboxHost;

/// <summary>Where the embedded marketplace is. Closed: pages answer each case.</summary>
public abstract record SandboxState
{
    private SandboxState() { }

    /// <summary>Not wanted by configuration.</summary>
    public sealed record Off : SandboxState;

    public sealed record Starting : SandboxState;

    public sealed record Running : SandboxState;

    /// <param name="Sentence">What is missing, for people.</param>
    public sealed record Unavailable(string Sentence) : SandboxState;
}

/// <summary>What the rest of the server knows of the embedded marketplace.</summary>
public sealed class SandboxStatus
{
    private SandboxState _state = new SandboxState.Off();

    public SandboxState State => Volatile.Read(ref _state);

    /// <summary>Whether it runs although this server can be reached from other computers: pages then carry a red banner.</summary>
    public bool RemoteAllowed { get; internal set; }

    /// <summary>Its market and the key of its account; null until it runs.</summary>
    internal (Market Market, Secret Key)? Account { get; private set; }

    internal void Set(SandboxState state) => Volatile.Write(ref _state, state);

    internal void Open(Market market, Secret key)
    {
        Account = (market, key);
        Set(new SandboxState.Running());
    }
}
