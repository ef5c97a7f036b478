namespace Dashboard.Domain.Marketplaces;

/// <summary>
/// Puts the pages of one listing together. Whoever reads a listing draws conclusions from what is not in it: one that
/// repeats a machine, or speaks of more machines than it holds, is no listing.
/// </summary>
public sealed class ListingPages
{
    private readonly Dictionary<string, ObservedInstance> _seen = [];
    private int? _total;
    private int _found;
    private IReadOnlyDictionary<string, int> _labelCounts = new Dictionary<string, int>();

    /// <param name="total">Machines that match, over all pages, as the page says.</param>
    /// <param name="found">What the page says it found.</param>
    /// <param name="labelCounts">Machines by label, as the page says; what it does not tell is left out.</param>
    /// <exception cref="ProviderUnavailableException">A machine came before.</exception>
    public void Add(IEnumerable<ObservedInstance> rows, int? total, int? found, IReadOnlyDictionary<string, int> labelCounts)
    {
        (_total, _found, _labelCounts) = (total, Math.Max(_found, found ?? 0), labelCounts);
        foreach (var row in rows)
        {
            if (!_seen.TryAdd(row.ContractId, row))
            {
                throw new ProviderUnavailableException($"The listing repeats machine {row.ContractId}.");
            }
        }
    }

    /// <summary>All of it, when the provider's own numbers agree with what came.</summary>
    /// <param name="at">When the listing began.</param>
    /// <exception cref="ProviderUnavailableException">It was cut short: it says nothing about what is not in it.</exception>
    public InstanceListing Complete(DateTimeOffset at)
    {
        if (_total != _seen.Count || _found > _seen.Count)
        {
            throw new ProviderUnavailableException($"The listing has {_seen.Count} machines and speaks of {_total?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no total"}, {_found} found.");
        }

        // Whatever else its numbers say: a listing that speaks of more machines of a label than it holds was cut.
        var held = _seen.Values.CountBy(instance => instance.Label ?? "").ToDictionary(label => label.Key, label => label.Value);
        foreach (var (label, told) in _labelCounts)
        {
            if (told > held.GetValueOrDefault(label.Trim()))
            {
                throw new ProviderUnavailableException($"The listing has {held.GetValueOrDefault(label.Trim())} machines of a label and speaks of {told}.");
            }
        }

        return new InstanceListing(at, [.. _seen.Values]);
    }
}
