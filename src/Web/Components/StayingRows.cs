namespace Dashboard.Web.Components;

/// <summary>
/// Keeps rows where a reader saw them while their values change: a row holds the place it was first shown at, a new one
/// comes last. Of one view, for as long as it asks the same.
/// </summary>
public sealed class StayingRows<TKey, TRow>(Func<TRow, TKey> key)
    where TKey : notnull
{
    private readonly Dictionary<TKey, int> _places = [];
    private readonly List<TRow> _shown = [];

    /// <summary>The rows in the order that was shown.</summary>
    /// <param name="keep">What of the row as first shown stays too, such as its colour; null: nothing.</param>
    public IReadOnlyList<TRow> Arrange(IEnumerable<TRow> rows, Func<TRow, TRow, TRow>? keep = null)
    {
        var places = new SortedDictionary<int, TRow>();
        foreach (var row in rows)
        {
            if (!_places.TryGetValue(key(row), out var place))
            {
                place = _shown.Count;
                _places.Add(key(row), place);
                _shown.Add(row);
            }

            places.Add(place, keep is null ? row : keep(row, _shown[place]));
        }

        return [.. places.Values];
    }

    /// <summary>From 0: its place among all rows that were ever shown, for a colour that stays too.</summary>
    public int PlaceOf(TRow row) => _places[key(row)];

    /// <summary>Starts anew: another question was asked.</summary>
    public void Forget()
    {
        _places.Clear();
        _shown.Clear();
    }
}
