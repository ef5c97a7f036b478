using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>How offers are ordered.</summary>
public enum OfferSort
{
    Total,
    Rate,
    Time,
    Finish,
}

/// <summary>What providers are asked. Searches are rationed: whatever only narrows or orders their answer is no part of it.</summary>
/// <param name="Gpu">As in the catalogue; null: any.</param>
/// <param name="Count">GPUs in one machine.</param>
/// <param name="VramGb">At least, per GPU, as sold.</param>
/// <param name="ReliabilityPercent">At least.</param>
/// <param name="DownloadMbps">At least.</param>
/// <param name="MaxRate">At most, all-in.</param>
/// <param name="Cuda">Highest CUDA version of the host's driver, at least.</param>
/// <param name="ContractDays">The host offers the machine for at least so long.</param>
/// <param name="Unverified">Hosts that the provider has not verified come too.</param>
/// <param name="Rental">How the machines are rented.</param>
/// <param name="BadHistory">Machines that failed the team twice are shown too.</param>
/// <param name="Pages">Pages of each provider's answer, by rising rate.</param>
/// <param name="For">What is priced: <c>hour</c>, <c>smoke</c>, or the number of one of the team's jobs. Null: an hour of anything.</param>
public sealed record MarketFilter(string? Gpu = null, int Count = 1, int? VramGb = null, int? ReliabilityPercent = null, int? DownloadMbps = null, HourlyRate? MaxRate = null, decimal? Cuda = null, int? ContractDays = null, bool Unverified = false, string? For = null, RentalType Rental = RentalType.OnDemand, bool BadHistory = false, int Pages = 1)
{
    /// <summary>What the page can hold. Providers send a page of their own size, far below it.</summary>
    private const int MostRows = 5_000;

    /// <summary>More rows than so many pages nobody reads; a filter finds what is beyond.</summary>
    public const int MostPages = 4;

    /// <summary>What reliabilities can be asked for, percent, at least.</summary>
    internal static readonly int[] Reliabilities = [80, 90, 95, 98, 99];

    /// <summary>What download speeds can be asked for, Mb/s, at least.</summary>
    internal static readonly int[] Speeds = [100, 300, 500, 1000];

    /// <summary>What CUDA versions can be asked for, at least.</summary>
    internal static readonly decimal[] Cudas = [11.8m, 12.1m, 12.4m, 12.6m, 12.8m];

    /// <summary>What contracts can be asked for, days, at least.</summary>
    internal static readonly int[] Days = [1, 3, 7, 14, 30];

    /// <summary>The filters that are set, each by its words with the filter without it.</summary>
    internal IReadOnlyList<(string Word, MarketFilter Without)> Set
    {
        get
        {
            var first = this with { Pages = 1 };
            (bool On, string Word, MarketFilter Without)[] all =
            [
                (Gpu is not null, Gpu ?? "", first with { Gpu = null }),
                (Count > 1, $"{Count} GPUs", first with { Count = 1 }),
                (VramGb is not null, $"VRAM ≥ {VramGb} GB", first with { VramGb = null }),
                (ReliabilityPercent is not null, $"reliability ≥ {ReliabilityPercent}%", first with { ReliabilityPercent = null }),
                (DownloadMbps is not null, $"download ≥ {Numbers.Speed(DownloadMbps ?? 0)}", first with { DownloadMbps = null }),
                (MaxRate is not null, $"at most {Numbers.Rate(MaxRate ?? HourlyRate.Zero)}", first with { MaxRate = null }),
                (Rental == RentalType.Interruptible, "a bid", first with { Rental = RentalType.OnDemand }),
                (Cuda is not null, string.Create(CultureInfo.InvariantCulture, $"CUDA ≥ {Cuda}"), first with { Cuda = null }),
                (ContractDays is not null, $"contract ≥ {Numbers.Count(ContractDays ?? 0, "day", "days")}", first with { ContractDays = null }),
            ];
            return [.. all.Where(f => f.On).Select(f => (f.Word, f.Without))];
        }
    }

    /// <summary>This filter less one of what is set.</summary>
    internal IEnumerable<MarketFilter> Wider => Set.Select(s => s.Without);

    /// <summary>Nothing that a poll does not tell apart is filtered.</summary>
    internal bool IsPolled => this is { ReliabilityPercent: null, DownloadMbps: null, MaxRate: null, Cuda: null, ContractDays: null, Unverified: false };

    internal OfferQuery Query(decimal diskGb) => new()
    {
        GpuNames = Gpu is null ? [] : [Gpu],
        GpuCount = Count,
        MinVramMb = VramGb is { } gb ? gb * 1000 : null, // a 24 GB card reports a little less than 24,576
        Rental = Rental,
        MinReliability = ReliabilityPercent / 100m,
        MinDownloadMbps = DownloadMbps,
        MaxRate = MaxRate,
        MinCuda = Cuda,
        MinContract = ContractDays is { } days ? TimeSpan.FromDays(days) : null,
        VerifiedOnly = !Unverified,
        DiskGb = diskGb,
        Limit = MostRows,
    };
}

/// <summary>The job that every total on the page is for.</summary>
/// <param name="Name">For people.</param>
/// <param name="Job">Number of the job it comes from; null for a preset.</param>
/// <param name="MaxRuntime">The job's own limit.</param>
public sealed record PricedFor(string Name, TrainingSpec Spec, TimeSpan? MaxRuntime, int? Job = null)
{
    public const string Hour = "hour";
    public const string Smoke = Presets.Smoke;

    public static PricedFor AnHour { get; } =
        new("1 hour of anything", new TrainingSpec { Preset = Presets.Command, Command = new CommandSpec("", []) }, TimeSpan.FromHours(1));

    public static PricedFor TheSmokeTest { get; } = new("the smoke test", new TrainingSpec { Preset = Presets.Smoke }, null);

    public TimeSpan Running => JobEstimator.RunTime(Spec, MaxRuntime);
}
