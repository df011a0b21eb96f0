// Connection requests that libfabric's sockets provider (1.17) forgets when what listens is closed.
//
// A thread of the listener answers them: it sends the rejections, and reports the requests that come. fi_close stops
// that thread, whether it has got round to that or not, and leaves the sockets open: whoever asked waits for ever.
#pragma once

#include <rdma/fabric.h>

#include <string>

namespace node_libfabric {

class ForgottenRequests {
 public:
  // Those of a listener that is still open.
  explicit ForgottenRequests(struct fid* listener);

  // Before the listener is closed: lets the thread finish, for a moment at most. `connections` are the sockets that
  // stay.
  void AwaitAnswers(long connections) const;

  // After it was closed, when none of its connections is in use: whoever still waits hears that nobody is there.
  void End() const;

 private:
  template <typename Visit>
  void ForEachSocket(Visit visit) const;

  std::string name_;  // the listener's socket address
};

}  // namespace node_libfabric
