using Dashboard.Domain.Estimates;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Instances;

/// <summary>How long a program took on a machine, beside its estimate.</summary>
/// <param name="Speed">Steps per second relative to the estimate: 1 is as estimated.</param>
public sealed record PaceRun(string MachineId, string GpuName, DateTimeOffset At, double Speed);

/// <summary>
/// What a team's own runs in one market teach about its offers: the cards of the machines it knows, and how far estimates of
/// training time were off, on all machines, on a GPU model and on one machine. A simulated market teaches nothing about a real one.
/// </summary>
public sealed class OwnRuns(IReadOnlyDictionary<string, HostScorecard> hosts, IReadOnlyCollection<PaceRun> paces, DateTimeOffset now)
{
    /// <summary>Older runs weigh less than a sixteenth and are not read.</summary>
    public static readonly TimeSpan Reach = LearnedFactor.HalfLife * 4;

    /// <summary>Nothing was ever rented.</summary>
    public static OwnRuns None { get; } = new(new Dictionary<string, HostScorecard>(), [], DateTimeOffset.UnixEpoch);

    private readonly LearnedFactor _all = LearnedFactor.Of(paces.Select(MissOf), LearnedFactor.Unknown(LearnedFactor.TrainingSpread), now);
    private readonly ILookup<string, PaceRun> _byGpu = paces.ToLookup(run => run.GpuName, StringComparer.Ordinal);
    private readonly Dictionary<string, LearnedFactor> _gpus = new(StringComparer.Ordinal);

    /// <summary>The machine's card; null: never rented.</summary>
    public HostScorecard? Host(string machineId) => hosts.GetValueOrDefault(machineId);

    public bool IsBad(string machineId) => Host(machineId)?.IsBad == true;

    /// <summary>What training times on a machine are multiplied with; null while no run in this market has said anything.</summary>
    public LearnedFactor? Pace(string machineId, string gpuName)
    {
        if (paces.Count == 0)
        {
            return null;
        }

        if (!_gpus.TryGetValue(gpuName, out var gpu))
        {
            gpu = _gpus[gpuName] = LearnedFactor.Of(_byGpu[gpuName].Select(MissOf), _all, now);
        }

        var here = _byGpu[gpuName].Where(run => run.MachineId == machineId).Select(MissOf).ToList();
        return here.Count == 0 ? gpu : LearnedFactor.Of(here, gpu, now);
    }

    /// <summary>The offer as our own runs correct it: the provider's score, the wire, the time a program takes.</summary>
    public Offer Applied(Offer offer) => (Host(offer.MachineId)?.Applied(offer) ?? offer) with { Pace = Pace(offer.MachineId, offer.GpuName) };

    private static Miss MissOf(PaceRun run) => Miss.Of(run.At, 1, run.Speed);
}
