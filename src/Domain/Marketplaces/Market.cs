namespace Dashboard.Domain.Marketplaces;

/// <summary>A company machines are rented from.</summary>
public enum Provider
{
    VastAi,
    RunPod,
    Lambda,
}

/// <summary>A provider at one base address. The sandbox speaks Vast.ai's protocol at an address of its own, so it is a market of its own; nothing else branches on it.</summary>
/// <param name="Provider">Which wire protocol it speaks.</param>
/// <param name="BaseUrl">Absolute address without a trailing slash.</param>
/// <param name="Simulated">Whether it spends no money. Simulated money never mixes with real totals, rankings and alerts.</param>
public sealed record Market(Provider Provider, string BaseUrl, bool Simulated)
{
    /// <summary>What people call it.</summary>
    public string Name => Simulated ? "Sandbox" : Provider switch
    {
        Provider.VastAi => "Vast.ai",
        Provider.RunPod => "RunPod",
        Provider.Lambda => "Lambda",
    };
}
