using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;

namespace Dashboard.Domain.Marketplaces;

/// <summary>Rents machines from one provider account. Safe to call concurrently.</summary>
/// <remarks>
/// Faults of every call but <see cref="RentAsync"/> are one of five exceptions: <see cref="NoCapacityException"/>,
/// <see cref="RateLimitedException"/>, <see cref="CredentialRejectedException"/>, <see cref="InstanceGoneException"/>,
/// <see cref="ProviderUnavailableException"/>.
/// </remarks>
public interface IMarketplace
{
    /// <summary>Who the key belongs to and what it may still spend. One call; the cheapest proof that a key works.</summary>
    Task<ProviderAccount> GetAccountAsync(CancellationToken ct);

    /// <summary>Tries what the key may do. Reads, and one state change of a machine that cannot exist: nothing is rented, changed or ended by it.</summary>
    /// <remarks>Takes seconds at most and throws nothing but cancellation: what could not be told is in neither set.</remarks>
    Task<KeyProbe> ProbeRightsAsync(CancellationToken ct);

    /// <summary>Offers by rising rate, at most one page of the provider. Only rows that satisfy every filter of the query, whatever the provider honoured.</summary>
    Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, CancellationToken ct);

    /// <summary>The same, with what the next page begins at and what the provider counted.</summary>
    Task<OfferPage> SearchPageAsync(OfferQuery query, CancellationToken ct);

    /// <summary>Rows that searches were given for this key since the server started, but for polls: people's and jobs' searches count against the same daily quota.</summary>
    long RowsSearched { get; }

    /// <summary>The provider's own price history of a GPU model, on demand, over machines of any size; oldest first, and of no more points than the provider likes to give.</summary>
    /// <exception cref="CredentialRejectedException">The key may not read it, which says nothing about its other rights.</exception>
    Task<IReadOnlyList<ProviderPrice>> GetPriceHistoryAsync(string gpuName, bool verifiedOnly, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct);

    /// <summary>Rents <paramref name="offer"/> and starts billing at <see cref="Offer.Rate"/>.</summary>
    /// <remarks>Sends one request and never repeats it, 429 included. After <c>Unclear</c> a machine may be running: look it up by <see cref="LaunchSpec.Label"/>. A leftover bills until destroyed. An interruptible offer takes a bid and an on-demand one none, else <see cref="ArgumentException"/> before anything is sent. Does not throw for anything the provider or the network does; once sent, cancellation is an <c>Unclear</c> too.</remarks>
    Task<RentResult> RentAsync(Offer offer, LaunchSpec spec, CancellationToken ct);

    /// <summary>Every machine of the account, ours or not, all pages. A listing that failed, was cut short or had an odd shape throws <see cref="ProviderUnavailableException"/>: it says nothing about absence.</summary>
    Task<InstanceListing> ListAsync(CancellationToken ct);

    /// <summary>Machines with exactly this label, complete like <see cref="ListAsync"/>.</summary>
    Task<InstanceListing> FindByLabelAsync(string label, CancellationToken ct);

    /// <summary>One machine by the provider's id; null when the provider says that it does not exist. Sees a new machine before the list does.</summary>
    Task<ObservedInstance?> GetAsync(string contractId, CancellationToken ct);

    /// <summary>Lets <paramref name="publicKey"/> (OpenSSH one-line form) sign in as root. Takes effect after some seconds. Repeating it is harmless.</summary>
    Task AttachSshKeyAsync(string contractId, string publicKey, CancellationToken ct);

    /// <summary>The container's own output so far, at most <paramref name="lines"/> from the end; null when the provider has none yet.</summary>
    Task<string?> ReadContainerLogAsync(string contractId, int lines, CancellationToken ct);

    /// <summary>Asks the provider to end the contract and delete its disk. Irreversible. Destroying what is gone is success. Absence still needs proof by listings.</summary>
    Task DestroyAsync(string contractId, CancellationToken ct);

    /// <summary>Stops the machine; its disk is kept and goes on billing. Stopping one that is stopped is success.</summary>
    /// <exception cref="InstanceGoneException">There is no such machine.</exception>
    Task StopAsync(string contractId, CancellationToken ct);

    /// <summary>Starts a stopped machine again, with what is on its disk. Starting one that runs is success.</summary>
    /// <returns>False: its GPUs are taken. The wish stays with the provider, which starts it, and its bill, once they are free; stopping it takes the wish back.</returns>
    /// <exception cref="InstanceGoneException">There is no such machine.</exception>
    Task<bool> StartAsync(string contractId, CancellationToken ct);

    /// <summary>Changes the bid of an interruptible machine: USD per hour for the whole slice, without disk. One that was outbid runs again when the new bid wins. Repeating it is harmless; the contract's rates are read anew afterwards.</summary>
    Task ChangeBidAsync(string contractId, HourlyRate bid, CancellationToken ct);

    /// <summary>What the provider charged, per contract and kind, for a window of time. Amounts are the provider's own rounding. A missing row is "not reported yet", not zero.</summary>
    Task<IReadOnlyList<ProviderCharge>> GetChargesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct);
}

/// <summary>The marketplace behind a team's connection: its provider's adapter, base address and key.</summary>
public interface IMarketplaces
{
    /// <exception cref="CredentialRejectedException">The key cannot be decrypted.</exception>
    IMarketplace For(Teams.Connection connection);

    /// <summary>The same with a key that is not stored yet, to test it first.</summary>
    IMarketplace For(Market market, Secret key);
}

/// <param name="AccountId">The provider's id of the account; two keys of one account share its limits and machines.</param>
/// <param name="Name">User name, never an e-mail address.</param>
/// <param name="Credit">Spendable; null where the provider bills afterwards.</param>
public sealed record ProviderAccount(string AccountId, string Name, Money? Credit);

/// <summary>One page of a search.</summary>
/// <param name="Offers">As <see cref="IMarketplace.SearchAsync"/> gives them.</param>
/// <param name="Rows">Rows that the provider returned and counted, whatever became of them.</param>
/// <param name="Highest">The highest all-in rate among those rows: where the next page begins.</param>
/// <param name="Full">It has as many rows as a page can have, so there may be more.</param>
public sealed record OfferPage(IReadOnlyList<Offer> Offers, int Rows, HourlyRate? Highest, bool Full);

/// <summary>A moment of the provider's own price history, USD per GPU-hour without disk.</summary>
/// <param name="Free">GPUs that could be rented; null when it does not say.</param>
public sealed record ProviderPrice(DateTimeOffset At, int? Free, HourlyRate P10, HourlyRate Median, HourlyRate P90);

/// <summary>A complete listing of an account at one moment.</summary>
public sealed record InstanceListing(DateTimeOffset At, IReadOnlyList<ObservedInstance> Instances);

/// <summary>What the provider says a machine is doing.</summary>
public enum ObservedStatus
{
    /// <summary>Being made, image loading. GPU is not billed.</summary>
    Provisioning,

    /// <summary>The container runs; sshd may need some seconds more.</summary>
    Running,

    /// <summary>Stopped: by us, by an outbid, by credit or at contract end. Disk bills.</summary>
    Stopped,

    /// <summary>Wanted running, waiting for its GPU.</summary>
    WaitingForGpu,

    /// <summary>The container could not start or ended.</summary>
    Failed,

    /// <summary>The host does not answer its provider. Not gone.</summary>
    Unreachable,
}

/// <summary>One machine as the provider described it.</summary>
public sealed record ObservedInstance
{
    public required string ContractId { get; init; }

    public string? Label { get; init; }

    public required ObservedStatus Status { get; init; }

    /// <summary>The provider's status words, trimmed: pull progress, errors. Stale prose; never parsed for state while running.</summary>
    public string? Message { get; init; }

    /// <summary>Whether <see cref="Message"/> says that this start can no longer succeed.</summary>
    public bool FatalMessage { get; init; }

    public required RentalType Rental { get; init; }

    /// <summary>The contract's own rates: what the ledger freezes.</summary>
    public required HourlyRate GpuRate { get; init; }

    public required HourlyRate DiskRate { get; init; }

    public required Money DownloadPerGb { get; init; }

    public required Money UploadPerGb { get; init; }

    public required decimal DiskGb { get; init; }

    /// <summary>When the contract, and with it the disk's bill, began.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When the present run of the container began, where the provider tells.</summary>
    public StartWindow? RunningSince { get; init; }

    public DateTimeOffset? ContractEnd { get; init; }

    /// <summary>How much its GPUs are used, percent, by a look some minutes old; null where the provider does not say.</summary>
    public decimal? GpuUse { get; init; }

    public string? MachineId { get; init; }

    public string? GpuName { get; init; }

    public int GpuCount { get; init; }

    public string? Location { get; init; }

    /// <summary>Ways to its sshd, best first: direct, then proxy. Empty until it runs.</summary>
    public IReadOnlyList<SshRoute> Routes { get; init; } = [];

    /// <summary>What it costs an hour right now by its state: GPU while running, disk always but on a lost host.</summary>
    public HourlyRate RateNow => Status switch
    {
        ObservedStatus.Running => GpuRate + DiskRate,
        ObservedStatus.Provisioning or ObservedStatus.Stopped or ObservedStatus.WaitingForGpu or ObservedStatus.Failed => DiskRate,
        ObservedStatus.Unreachable => HourlyRate.Zero,
    };
}

/// <param name="Name"><c>direct</c> or <c>proxy</c>; host keys are pinned per contract and route.</param>
public sealed record SshRoute(string Name, string Host, int Port);

/// <param name="ContractId">The provider's id, also of machines long gone.</param>
/// <param name="Kind"><see cref="ChargeKind.Adjustment"/> where the provider names a kind that we do not know.</param>
/// <param name="Rate">The rate the provider says it charged at; null where it does not say.</param>
public sealed record ProviderCharge(string ContractId, string? Label, ChargeKind Kind, Money Amount, DateTimeOffset From, DateTimeOffset To, HourlyRate? Rate = null);
