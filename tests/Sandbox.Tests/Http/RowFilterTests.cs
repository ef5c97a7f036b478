using System.Text.Json;
using Dashboard.Sandbox.Http;

namespace Dashboard.Sandbox.Tests.Http;

public sealed class RowFilterTests
{
    private static readonly WireRow Row = new()
    {
        ["num_gpus"] = 4,
        ["dph_total"] = 0.369533m,
        ["reliability"] = 0.9931,
        ["gpu_name"] = "RTX 4090",
        ["rentable"] = true,
        ["webpage"] = null,
    };

    [Theory]
    [InlineData("""{"num_gpus":{"eq":4}}""", true)]
    [InlineData("""{"num_gpus":{"eq":"4"}}""", true)]
    [InlineData("""{"num_gpus":{"eq":4.0}}""", true)]
    [InlineData("""{"num_gpus":{"eq":2}}""", false)]
    [InlineData("""{"num_gpus":{"neq":2}}""", true)]
    [InlineData("""{"num_gpus":{"neq":"4.0"}}""", false)]
    [InlineData("""{"num_gpus":{"gt":3,"lt":5}}""", true)]
    [InlineData("""{"num_gpus":{"gt":4}}""", false)]
    [InlineData("""{"num_gpus":{"gte":"4"}}""", true)]
    [InlineData("""{"num_gpus":{"lte":3.9}}""", false)]
    [InlineData("""{"num_gpus":{"in":["2","4"]}}""", true)]
    [InlineData("""{"num_gpus":{"notin":[2,4]}}""", false)]
    [InlineData("""{"dph_total":{"lte":"0.369533"}}""", true)]
    [InlineData("""{"dph_total":{"lt":0.369533}}""", false)]
    [InlineData("""{"reliability":{"gte":0.99}}""", true)]
    [InlineData("""{"gpu_name":{"eq":"RTX 4090"}}""", true)]
    [InlineData("""{"gpu_name":{"eq":"RTX_4090"}}""", true)]
    [InlineData("""{"gpu_name":{"in":["L4","RTX 4090"]}}""", true)]
    [InlineData("""{"gpu_name":{"notin":["L4"]}}""", true)]
    [InlineData("""{"gpu_name":{"gte":4}}""", false)]
    [InlineData("""{"rentable":{"eq":"True"}}""", true)]
    [InlineData("""{"rentable":{"eq":0}}""", false)]
    [InlineData("""{"webpage":{"eq":null}}""", true)]
    [InlineData("""{"webpage":{"gte":0}}""", false)]
    [InlineData("""{"num_gpus":{"eq":4},"rentable":{"eq":false}}""", false)]
    [InlineData("""{"limit":3,"order":[["score","desc"]],"type":"bid"}""", true)]
    public void Operators_compare_whatever_clients_send(string query, bool matches)
    {
        var (filter, error) = RowFilter.Parse(JsonDocument.Parse(query).RootElement);

        Assert.Null(error);
        Assert.Equal(matches, filter!.Matches(field => [Row.GetValueOrDefault(field)]));
    }

    [Theory]
    [InlineData("""{"num_gpus":{"like":4}}""")]
    [InlineData("""{"num_gpus":{"in":4}}""")]
    public void An_unknown_operator_or_a_list_that_is_none_is_an_error(string query) =>
        Assert.NotNull(RowFilter.Parse(JsonDocument.Parse(query).RootElement).Error);
}
