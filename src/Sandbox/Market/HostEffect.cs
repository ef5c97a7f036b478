namespace Dashboard.Sandbox.Market;

/// <summary>What the market wants done to a container. The market performs nothing itself: whoever drives it carries these out, in order for each contract, and reports back.</summary>
internal abstract record HostEffect(int ContractId)
{
    /// <summary>Make or restart the container; answer with <see cref="RentalMarket.ContainerStarted"/> or <see cref="RentalMarket.ContainerFailed"/>.</summary>
    internal sealed record Start(int ContractId) : HostEffect(ContractId);

    /// <summary>End its processes and keep its data.</summary>
    internal sealed record Stop(int ContractId) : HostEffect(ContractId);

    /// <summary>End its processes and delete its data.</summary>
    internal sealed record Destroy(int ContractId) : HostEffect(ContractId);

    /// <summary>Let exactly <see cref="RentalMarket.InstalledKeys"/> log in.</summary>
    internal sealed record InstallKeys(int ContractId) : HostEffect(ContractId);
}
