namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Whether an outcome may still be applied: only while the row has the fence under which the work began. Whoever was
/// overtaken finds another one there and leaves the row alone. Not sealed, so that a test can take it away and see what it holds off.
/// </summary>
internal class Fences
{
    /// <param name="row">What the row has now.</param>
    /// <param name="held">What the work began with; null for observations, which hold no lease.</param>
    public virtual bool Hold(long row, long? held) => held is null || row == held;
}
