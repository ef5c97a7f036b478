namespace Dashboard.Sandbox.Market;

/// <summary>What the market wants done to a container. The market performs nothing itself: whoever drives it carries these out, in order for each contract, and reports back.</summary>
internal abstract record HostEffect(int ContractId)
{
    /// <summary>Make or restart the container; answer with <see cref="RentalMarket.ContainerStarted"/> or <see cref="RentalMarket.ContainerFailed"/>.</summary>
    /// <param name="Launch">Which start of the contract this is: a later one makes it void.</param>
    /// <param name="Afresh">End its processes and delete its data first, keeping its ports.</param>
    internal sealed record Start(int ContractId, int Launch, bool Afresh) : HostEffect(ContractId);

    /// <summary>End its processes and keep its data.</summary>
    internal sealed record Stop(int ContractId) : HostEffect(ContractId);

    /// <summary>End its processes and delete its data.</summary>
    internal sealed record Destroy(int ContractId) : HostEffect(ContractId);

    /// <summary>Open or close the SSH ports, as <see cref="RentalMarket.RefusesSsh"/> says.</summary>
    internal sealed record SetReach(int ContractId) : HostEffect(ContractId);

    /// <summary>Drop every open connection.</summary>
    internal sealed record CutSessions(int ContractId) : HostEffect(ContractId);

    /// <summary>Let sshd show a new host key, without ending anything.</summary>
    internal sealed record ChangeHostKey(int ContractId) : HostEffect(ContractId);

    /// <summary>Let exactly <see cref="RentalMarket.InstalledKeys"/> log in.</summary>
    internal sealed record InstallKeys(int ContractId) : HostEffect(ContractId);
}
