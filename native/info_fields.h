// Every field of fi_info, named once, for both directions: a visitor either reads them from or writes them to
// JavaScript. Names are libfabric's in camel case. Not here are `next` and the pointers to open objects (handle,
// fabric, domain).
#pragma once

#include <rdma/fabric.h>

namespace node_libfabric {

template <typename Visitor>
void VisitTxAttr(Visitor& visit, struct fi_tx_attr* attr) {
  visit.Number("caps", attr->caps);
  visit.Number("mode", attr->mode);
  visit.Number("opFlags", attr->op_flags);
  visit.Number("msgOrder", attr->msg_order);
  visit.Number("compOrder", attr->comp_order);
  visit.Number("injectSize", attr->inject_size);
  visit.Number("size", attr->size);
  visit.Number("iovLimit", attr->iov_limit);
  visit.Number("rmaIovLimit", attr->rma_iov_limit);
  visit.Number("tclass", attr->tclass);
}

template <typename Visitor>
void VisitRxAttr(Visitor& visit, struct fi_rx_attr* attr) {
  visit.Number("caps", attr->caps);
  visit.Number("mode", attr->mode);
  visit.Number("opFlags", attr->op_flags);
  visit.Number("msgOrder", attr->msg_order);
  visit.Number("compOrder", attr->comp_order);
  visit.Number("totalBufferedRecv", attr->total_buffered_recv);
  visit.Number("size", attr->size);
  visit.Number("iovLimit", attr->iov_limit);
}

template <typename Visitor>
void VisitEpAttr(Visitor& visit, struct fi_ep_attr* attr) {
  visit.Number("type", attr->type);
  visit.Number("protocol", attr->protocol);
  visit.Number("protocolVersion", attr->protocol_version);
  visit.Number("maxMsgSize", attr->max_msg_size);
  visit.Number("msgPrefixSize", attr->msg_prefix_size);
  visit.Number("maxOrderRawSize", attr->max_order_raw_size);
  visit.Number("maxOrderWarSize", attr->max_order_war_size);
  visit.Number("maxOrderWawSize", attr->max_order_waw_size);
  visit.Number("memTagFormat", attr->mem_tag_format);
  visit.Number("txCtxCnt", attr->tx_ctx_cnt);
  visit.Number("rxCtxCnt", attr->rx_ctx_cnt);
  visit.Bytes("authKey", attr->auth_key, attr->auth_key_size);
}

template <typename Visitor>
void VisitDomainAttr(Visitor& visit, struct fi_domain_attr* attr) {
  visit.Text("name", attr->name);
  visit.Number("threading", attr->threading);
  visit.Number("controlProgress", attr->control_progress);
  visit.Number("dataProgress", attr->data_progress);
  visit.Number("resourceMgmt", attr->resource_mgmt);
  visit.Number("avType", attr->av_type);
  visit.Number("mrMode", attr->mr_mode);
  visit.Number("mrKeySize", attr->mr_key_size);
  visit.Number("cqDataSize", attr->cq_data_size);
  visit.Number("cqCnt", attr->cq_cnt);
  visit.Number("epCnt", attr->ep_cnt);
  visit.Number("txCtxCnt", attr->tx_ctx_cnt);
  visit.Number("rxCtxCnt", attr->rx_ctx_cnt);
  visit.Number("maxEpTxCtx", attr->max_ep_tx_ctx);
  visit.Number("maxEpRxCtx", attr->max_ep_rx_ctx);
  visit.Number("maxEpStxCtx", attr->max_ep_stx_ctx);
  visit.Number("maxEpSrxCtx", attr->max_ep_srx_ctx);
  visit.Number("cntrCnt", attr->cntr_cnt);
  visit.Number("mrIovLimit", attr->mr_iov_limit);
  visit.Number("caps", attr->caps);
  visit.Number("mode", attr->mode);
  visit.Bytes("authKey", attr->auth_key, attr->auth_key_size);
  visit.Number("maxErrData", attr->max_err_data);
  visit.Number("mrCnt", attr->mr_cnt);
  visit.Number("tclass", attr->tclass);
}

template <typename Visitor>
void VisitFabricAttr(Visitor& visit, struct fi_fabric_attr* attr) {
  visit.Text("name", attr->name);
  visit.Text("provName", attr->prov_name);
  visit.Number("provVersion", attr->prov_version);
  visit.Number("apiVersion", attr->api_version);
}

template <typename Visitor>
void VisitDeviceAttr(Visitor& visit, struct fi_device_attr* attr) {
  visit.Text("name", attr->name);
  visit.Text("deviceId", attr->device_id);
  visit.Text("deviceVersion", attr->device_version);
  visit.Text("vendorId", attr->vendor_id);
  visit.Text("driver", attr->driver);
  visit.Text("firmware", attr->firmware);
}

template <typename Visitor>
void VisitBusAttr(Visitor& visit, struct fi_bus_attr* attr) {
  visit.Number("busType", attr->bus_type);
  visit.Number("domainId", attr->attr.pci.domain_id);
  visit.Number("busId", attr->attr.pci.bus_id);
  visit.Number("deviceId", attr->attr.pci.device_id);
  visit.Number("functionId", attr->attr.pci.function_id);
}

template <typename Visitor>
void VisitLinkAttr(Visitor& visit, struct fi_link_attr* attr) {
  visit.Text("address", attr->address);
  visit.Number("mtu", attr->mtu);
  visit.Number("speed", attr->speed);
  visit.Number("state", attr->state);
  visit.Text("networkType", attr->network_type);
}

template <typename Visitor>
void VisitNic(Visitor& visit, struct fid_nic* nic) {
  visit.Group("deviceAttr", nic->device_attr, VisitDeviceAttr<Visitor>);
  visit.Group("busAttr", nic->bus_attr, VisitBusAttr<Visitor>);
  visit.Group("linkAttr", nic->link_attr, VisitLinkAttr<Visitor>);
}

template <typename Visitor>
void VisitInfo(Visitor& visit, struct fi_info* info) {
  visit.Number("caps", info->caps);
  visit.Number("mode", info->mode);
  visit.Number("addrFormat", info->addr_format);
  visit.Bytes("srcAddr", info->src_addr, info->src_addrlen);
  visit.Bytes("destAddr", info->dest_addr, info->dest_addrlen);
  visit.Group("txAttr", info->tx_attr, VisitTxAttr<Visitor>);
  visit.Group("rxAttr", info->rx_attr, VisitRxAttr<Visitor>);
  visit.Group("epAttr", info->ep_attr, VisitEpAttr<Visitor>);
  visit.Group("domainAttr", info->domain_attr, VisitDomainAttr<Visitor>);
  visit.Group("fabricAttr", info->fabric_attr, VisitFabricAttr<Visitor>);
  visit.Group("nic", info->nic, VisitNic<Visitor>);
}

}  // namespace node_libfabric
